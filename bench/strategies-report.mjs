/** Keeps the measured points of the strategies in docs/benchmarks.json; writes docs/benchmarks.md and its plots from them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import * as Plot from '@observablehq/plot';
import { Window } from 'happy-dom';
import prettier from 'prettier';
import { shareEstimate } from '../dist/engine/evaluate/intervals.js';

const file = (name) => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
const keyOf = ({ task, strategy, blocks, budget, scales }) =>
  [task, strategy, blocks, budget, scales].join(' ');
const ANSWERS = 100;

export function keepPoint(point) {
  const points = savedPoints().filter((other) => keyOf(other) !== keyOf(point));
  const now = { date: new Date().toISOString().slice(0, 10), ...machine() };
  writeFileSync(file('benchmarks.json'), `${JSON.stringify([...points, { ...point, ...now }], null, 2)}\n`);
}

/** The rounds of a search measured before: each with the block chosen, and the passes and seconds up to it. */
export function savedSearch(task, strategy, blocks) {
  const rounds = [];
  const own = savedPoints().filter(
    (point) => point.task === task && point.strategy === strategy && point.blocks === blocks,
  );
  for (const { budget, skipped, passes, seconds } of own) {
    rounds[budget - 1] = { block: skipped.at(-1), passes, seconds };
  }
  return rounds.includes(undefined) ? [] : rounds;
}

function savedPoints() {
  return existsSync(file('benchmarks.json')) ? JSON.parse(readFileSync(file('benchmarks.json'), 'utf8')) : [];
}

function machine() {
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return {
    node: process.version,
    onnxruntime: dependencies['onnxruntime-node'],
    processor: `${os.cpus()[0].model}, ${os.cpus().length} threads`,
  };
}

export async function writeReport() {
  const points = savedPoints();
  const sections = [];
  for (const [task, blocks] of series(points)) {
    const own = points.filter((point) => point.task === task && point.blocks === blocks);
    const original = points.find((point) => point.task === task && point.strategy === 'original');
    const plot = `strategies-${task}-${blocks}.svg`;
    writeFileSync(file(plot), drawPlot(own, original));
    sections.push(
      `### ${title(task, blocks)}`,
      `The original: held-out loss ${original.loss.toFixed(4)}, ${quality(original)} ${measureOf(original).name}.`,
      `![${measureOf(original).title} against skipped blocks, one line a strategy](${plot})`,
      table(own),
    );
  }
  const text = [
    readFileSync(file('benchmarks-introduction.md'), 'utf8'),
    conditions(points),
    ...sections,
  ].join('\n\n');
  const options = await prettier.resolveConfig(file('benchmarks.md'));
  writeFileSync(file('benchmarks.md'), await prettier.format(text, { ...options, parser: 'markdown' }));
}

function series(points) {
  const keys = points
    .filter(({ strategy }) => strategy !== 'original')
    .map(({ task, blocks }) => JSON.stringify([task, blocks]));
  return [...new Set(keys)].toSorted().map((key) => JSON.parse(key));
}

function title(task, blocks) {
  return `${task}, ${blocks === 'both' ? 'attention and MLP' : blocks} blocks`;
}

function conditions(points) {
  const distinct = (field) => [...new Set(points.map((point) => point[field]))].toSorted().join(', ');
  return `Measured ${distinct('date')} on ${distinct('processor')}; Node ${distinct('node')}, onnxruntime-node ${distinct('onnxruntime')}.`;
}

function table(points) {
  const rows = points
    .toSorted((a, b) => a.budget - b.budget || a.scales.localeCompare(b.scales) || a.loss - b.loss)
    .map((point) => [
      point.budget,
      point.strategy,
      point.skipped.map(shortName).join(', '),
      point.scales,
      point.lossWithoutScales.toFixed(4),
      point.loss.toFixed(4),
      quality(point),
      Math.round(point.passes),
      point.seconds.toFixed(0),
    ]);
  const head = [
    'skipped',
    'strategy',
    'blocks',
    'scales',
    'loss without scales',
    'loss',
    `${measureOf(points[0]).title.toLowerCase()} (95 %)`,
    'passes',
    'seconds',
  ];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Exact matches of the answers, or where a task has none the accuracy of the next token in percent. */
function measureOf({ matches }) {
  return matches === undefined
    ? { title: 'Next-token accuracy', name: '% of next tokens', axis: 'next-token accuracy, %' }
    : { title: 'Exact matches', name: `of ${ANSWERS} answers`, axis: `exact matches of ${ANSWERS}` };
}

function height({ matches, accuracy }) {
  return matches ?? accuracy.value * 100;
}

function quality({ matches, accuracy }) {
  if (matches === undefined) {
    const [value, low, high] = [accuracy.value, accuracy.low, accuracy.high].map((share) =>
      (share * 100).toFixed(1),
    );
    return `${value} (${low} to ${high})`;
  }
  const { low, high } = shareEstimate(matches, ANSWERS);
  return `${matches} (${Math.round(low * ANSWERS)} to ${Math.round(high * ANSWERS)})`;
}

function shortName(block) {
  return block.replace('attention ', 'A').replace('mlp ', 'M');
}

/** An SVG that stands alone: quality against skipped blocks, for the finest scales measured. */
function drawPlot(points, original) {
  const { document } = new Window();
  const finest = points
    .filter(({ scales }) => scales !== 'scalar')
    .map((point) => ({ ...point, quality: height(point) }));
  const start = [...new Set(finest.map(({ strategy }) => strategy))].map((strategy) => ({
    strategy,
    budget: 0,
    quality: height(original),
  }));
  const ends = finest.filter(
    (point) => !finest.some((other) => other.strategy === point.strategy && other.budget > point.budget),
  );
  const line = { x: 'budget', y: 'quality', stroke: 'strategy', z: 'strategy' };
  const svg = Plot.plot({
    document,
    width: 720,
    height: 380,
    marginRight: 110,
    x: { label: 'skipped blocks', ticks: Math.max(...finest.map(({ budget }) => budget)), tickFormat: 'd' },
    y: { label: measureOf(original).axis, domain: [0, 100], grid: true },
    marks: [
      Plot.ruleY([height(original)], { stroke: '#999', strokeDasharray: '4 3' }),
      Plot.lineY(
        [...start, ...finest].toSorted((a, b) => a.budget - b.budget),
        { ...line, marker: true },
      ),
      Plot.text(apart(ends), {
        x: 'budget',
        y: 'height',
        text: 'strategy',
        fill: 'strategy',
        textAnchor: 'start',
        dx: 8,
      }),
    ],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('style', 'background: white; color: #222');
  return `${svg.outerHTML}\n`;
}

/** Heights of the labels at the lines' ends, so far apart that each can be read. */
function apart(ends) {
  let lowest = Infinity;
  return ends
    .toSorted((a, b) => b.quality - a.quality)
    .map((point) => {
      lowest = Math.min(point.quality, lowest - 4);
      return { ...point, height: lowest };
    });
}
