/** Keeps the measured points of the strategies in docs/benchmarks.json; writes docs/benchmarks.md and its plots from them. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { Window } from 'happy-dom';
import prettier from 'prettier';
import { conditions, docsFile, here, markdownTable, savedIn, shortName } from './machine.mjs';
import { choicesReport } from './real-report.mjs';

const keyOf = ({ task, strategy, kind, blocks, scales }) => [task, strategy, kind, blocks, scales].join(' ');
const ANSWERS = 100;
const POINTS = 'benchmarks.json';
/** Where the part of bench/real.mjs goes in docs/benchmarks-introduction.md. */
const PLACE = '<!-- choices on real models -->';

/**
 * Keeps a point in the place of the one measured before.
 * @param point its keys task, strategy, kind (of the blocks), blocks (how many are skipped) and scales, and its figures
 */
export function keepPoint(point) {
  const points = savedIn(POINTS).filter((other) => keyOf(other) !== keyOf(point));
  writeFileSync(docsFile(POINTS), `${JSON.stringify([...points, { ...point, ...here() }], null, 2)}\n`);
}

export async function writeReport() {
  const points = savedIn(POINTS);
  const sections = [];
  for (const [task, kind] of series(points)) {
    const own = points.filter((point) => point.task === task && point.kind === kind);
    const original = points.find((point) => point.task === task && point.strategy === 'original');
    const plot = `strategies-${task}-${kind}.svg`;
    writeFileSync(docsFile(plot), drawPlot(own, original));
    sections.push(
      `### ${title(task, kind)}`,
      `The original: held-out loss ${original.loss.toFixed(4)}, ${quality(original)} ${measureOf(original).name}.`,
      `![${measureOf(original).title} against skipped blocks, one line a strategy](${plot})`,
      table(own),
    );
  }
  const text = [
    readFileSync(docsFile('benchmarks-introduction.md'), 'utf8').replace(PLACE, choicesReport().join('\n\n')),
    conditions(points),
    ...sections,
  ].join('\n\n');
  const options = await prettier.resolveConfig(docsFile('benchmarks.md'));
  writeFileSync(docsFile('benchmarks.md'), await prettier.format(text, { ...options, parser: 'markdown' }));
}

function series(points) {
  const keys = points
    .filter(({ strategy }) => strategy !== 'original')
    .map(({ task, kind }) => JSON.stringify([task, kind]));
  return [...new Set(keys)].toSorted().map((key) => JSON.parse(key));
}

function title(task, kind) {
  return `${task}, ${kind === 'both' ? 'attention and MLP' : kind} blocks`;
}

function table(points) {
  const rows = points
    .toSorted((a, b) => a.blocks - b.blocks || a.scales.localeCompare(b.scales) || a.loss - b.loss)
    .map((point) => [
      point.blocks,
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
  return markdownTable(head, rows);
}

/** Exact matches of the answers, or where a task has none the accuracy of the next token in percent. */
function measureOf({ exactMatch }) {
  return exactMatch
    ? {
        title: 'Exact matches',
        name: `of ${ANSWERS} answers`,
        axis: `exact matches of ${ANSWERS}`,
        digits: 0,
      }
    : { title: 'Next-token accuracy', name: '% of next tokens', axis: 'next-token accuracy, %', digits: 1 };
}

/** Percent, which of 100 answers is their number. */
function height({ exactMatch, accuracy }) {
  return (exactMatch ?? accuracy).value * 100;
}

function quality(point) {
  const { value, low, high } = point.exactMatch ?? point.accuracy;
  const { digits } = measureOf(point);
  const [middle, from, to] = [value, low, high].map((share) => (share * 100).toFixed(digits));
  return `${middle} (${from} to ${to})`;
}

/** An SVG that stands alone: quality against skipped blocks, for the finest scales measured. */
function drawPlot(points, original) {
  const { document } = new Window();
  const finest = points
    .filter(({ scales }) => scales !== 'scalar')
    .map((point) => ({ ...point, quality: height(point) }));
  const start = [...new Set(finest.map(({ strategy }) => strategy))].map((strategy) => ({
    strategy,
    blocks: 0,
    quality: height(original),
  }));
  const ends = finest.filter(
    (point) => !finest.some((other) => other.strategy === point.strategy && other.blocks > point.blocks),
  );
  const line = { x: 'blocks', y: 'quality', stroke: 'strategy', z: 'strategy' };
  const svg = Plot.plot({
    document,
    width: 720,
    height: 380,
    marginRight: 110,
    x: { label: 'skipped blocks', ticks: Math.max(...finest.map(({ blocks }) => blocks)), tickFormat: 'd' },
    y: { label: measureOf(original).axis, domain: [0, 100], grid: true },
    marks: [
      Plot.ruleY([height(original)], { stroke: '#999', strokeDasharray: '4 3' }),
      Plot.lineY(
        [...start, ...finest].toSorted((a, b) => a.blocks - b.blocks),
        { ...line, marker: true },
      ),
      Plot.text(apart(ends), {
        x: 'blocks',
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
