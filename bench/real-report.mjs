/** Keeps what bench/real.mjs has measured in docs/real-choices.json, and writes its part of docs/benchmarks.md. */
import { writeFileSync } from 'node:fs';
import { conditions, docsFile, here, markdownTable, savedIn, shortName } from './machine.mjs';

const FILE = 'real-choices.json';
const DEFAULT = 'contest';
const KEYS = ['model', 'task', 'kind', 'share', 'seed', 'strategy'];
const SIZES = ['calibrationTokens', 'heldoutTokens', 'epochs'];

const keyOf = (cell) => [...KEYS, ...SIZES].map((key) => cell[key]).join(' ');
const groupOf = (cell) => [...KEYS.slice(0, 4), ...SIZES].map((key) => cell[key]).join(' ');

export function isKept(cell) {
  return savedIn(FILE).some((other) => keyOf(other) === keyOf(cell));
}

export function keepCell(cell) {
  const cells = savedIn(FILE).filter((other) => keyOf(other) !== keyOf(cell));
  writeFileSync(docsFile(FILE), `${JSON.stringify([...cells, { ...cell, ...here() }], null, 2)}\n`);
}

/** @returns paragraphs of Markdown */
export function realChoices() {
  const cells = savedIn(FILE);
  if (cells.length === 0) return [];
  const groups = grouped(cells);
  return [
    '## Choices on real models',
    'Every strategy gets the same rows and as many epochs; figures are of held-out rows, with 95 % intervals over rows. The file’s answers are judged by their loss, the model’s own by the divergence from it. `contest` is the default; it begins from the scales that it trained while it chose, which the others do not have, so that its training is longer: where the blocks are the same, that is the difference. Seconds are of the processor, choice and training and measuring together.',
    conditions(cells),
    ...[...groups.values()].flatMap(groupParagraphs),
    verdict([...groups.values()]),
  ];
}

function grouped(cells) {
  const groups = new Map();
  for (const cell of cells) groups.set(groupOf(cell), [...(groups.get(groupOf(cell)) ?? []), cell]);
  return groups;
}

function groupParagraphs(cells) {
  const [first] = cells;
  const { measure, original, trainedOriginal } = first;
  const base =
    measure === 'divergence'
      ? 'the model’s own answers.'
      : `the file’s answers; the original has ${number(original)}${trainedOriginal ? `, with trained scales and nothing skipped ${number(trainedOriginal)}` : ''}.`;
  return [
    `### ${first.model}, ${first.task}: ${first.skipped.length} ${first.kind === 'both' ? '' : `${first.kind} `}blocks`,
    `${first.calibrationTokens} tokens to calibrate on, ${first.tokens} tokens of answers in ${first.rows} held-out rows, ${first.epochs} epochs; ${base}`,
    markdownTable(
      [
        'strategy',
        'draw',
        'skipped',
        `${measure} without scales`,
        measure,
        'next-token accuracy',
        'seconds',
        'peak',
      ],
      cells
        .toSorted((a, b) => a.seed - b.seed || a.after.value - b.after.value)
        .map((cell) => [
          cell.strategy,
          cell.seed,
          cell.skipped.map(shortName).join(', '),
          number(cell.before),
          `${number(cell.after)} (${cell.after.low.toFixed(3)} to ${cell.after.high.toFixed(3)})`,
          `${(cell.accuracy.value * 100).toFixed(1)} %`,
          cell.processorSeconds.toFixed(0),
          `${(cell.peakBytes / 1e9).toFixed(1)} GB`,
        ]),
    ),
  ];
}

/** In how many draws the default is below all others, or within its own interval of the best. */
function verdict(groups) {
  const draws = groups.flatMap((cells) =>
    [...new Set(cells.map(({ seed }) => seed))].map((seed) => cells.filter((cell) => cell.seed === seed)),
  );
  const compared = draws.filter(
    (cells) => cells.length > 1 && cells.some(({ strategy }) => strategy === DEFAULT),
  );
  const outcomes = compared.map((cells) => {
    const own = cells.find(({ strategy }) => strategy === DEFAULT).after;
    const best = Math.min(
      ...cells.filter(({ strategy }) => strategy !== DEFAULT).map(({ after }) => after.value),
    );
    return own.value <= best ? 'below' : own.low <= best ? 'within' : 'above';
  });
  const counted = (outcome) => outcomes.filter((one) => one === outcome).length;
  return `Of ${compared.length} ${compared.length === 1 ? 'draw' : 'draws'} \`${DEFAULT}\` is at or below every other strategy in ${counted('below')}, above the best but within its interval in ${counted('within')}, and above it in ${counted('above')}.`;
}

function number({ value }) {
  return value.toFixed(4);
}
