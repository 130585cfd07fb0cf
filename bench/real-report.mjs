/** Keeps what bench/real.mjs has measured in docs/real-choices.json, and writes its part of docs/benchmarks.md. */
import { writeFileSync } from 'node:fs';
import { conditions, docsFile, here, markdownTable, savedIn, shortName } from './machine.mjs';

const FILE = 'real-choices.json';
const DEFAULT = 'contest';
/** The model that comes with the tests, tasks beside it. Its cells are many and alike: they stand in the table of all cells alone. */
export const SAMPLE = 'sample';
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
export function choicesReport() {
  const cells = savedIn(FILE);
  if (cells.length === 0) return [];
  const groups = grouped(cells, groupOf).toSorted(([a], [b]) => inReadingOrder(a, b));
  return [
    '## Choices',
    'Every strategy gets the same rows and as many epochs; figures are of held-out rows, with 95 % intervals over rows. The file’s answers are judged by their loss, the model’s own by the divergence from it. `contest` is the default; it begins from the scales that it trained while it chose, which the others do not have, so that its training is longer: where the blocks are the same, that is the difference. Older code, of before the contest’s greedy order and choice of a start ([decision 018](decisions/018-several-choices.md)), are: of SmolLM2 on past `cosine`, `block-influence` and `random`, for which nothing has changed that we know of (`contest` came to the same blocks and loss again); on chat `greedy` and `random`, which were trained without prompts’ ends and with 64 tokens of the original’s distributions; and the other strategies on the sample’s arithmetic where two blocks of both kinds or attention blocks alone go. What was measured on or after 2026-11-28 ran with one thread, two jobs at a time; of Gemma the baselines ran alone with one thread, `contest` with two and short work beside it.',
    conditions(cells),
    overview(groups),
    verdict(groups),
    ...groups.filter(([{ model }]) => model !== SAMPLE).flatMap(groupParagraphs),
  ];
}

/** Real models before the sample; then by task, kind and number of blocks. */
function inReadingOrder(a, b) {
  return (
    Number(a.model === SAMPLE) - Number(b.model === SAMPLE) ||
    KEYS.slice(0, 3)
      .map((key) => a[key].localeCompare(b[key]))
      .find((order) => order !== 0) ||
    a.share - b.share
  );
}

/** A line a cell: what each strategy ends at, the mean over the draws of rows that all of them have. */
function overview(groups) {
  const strategies = [...new Set(groups.flat().map(({ strategy }) => strategy))].toSorted(
    (a, b) => Number(b === DEFAULT) - Number(a === DEFAULT) || a.localeCompare(b),
  );
  const compared = groups.filter((cells) => drawsOf(cells).some(outcome));
  const rows = compared.map((cells) => {
    const draws = drawsOf(cells).filter(outcome);
    const [first] = cells;
    const means = strategies.map((strategy) => {
      const own = draws.flatMap((draw) => draw.filter((cell) => cell.strategy === strategy));
      return own.length === draws.length ? mean(own.map(({ after }) => after.value)) : undefined;
    });
    const lowest = Math.min(...means.filter((value) => value !== undefined));
    return [
      `${first.model}, ${first.task}`,
      `${first.skipped.length} ${first.kind}`,
      first.measure,
      draws.length,
      ...means.map((value) =>
        value === undefined ? '' : value === lowest ? `**${short(value)}**` : short(value),
      ),
      ['below', 'within', 'above']
        .map((one) => draws.filter((draw) => outcome(draw) === one).length)
        .join(' / '),
    ];
  });
  return markdownTable(
    ['model, task', 'blocks', 'measure', 'draws', ...strategies, 'below / within / above'],
    rows,
  );
}

/** In how many draws the default is below all others, or within its own interval of the best; and how far in the mean. */
function verdict(groups) {
  const draws = groups.flatMap(drawsOf).filter((draw) => outcome(draw));
  const counted = (wanted) => draws.filter((draw) => outcome(draw) === wanted).length;
  const others = [...new Set(draws.flat().map(({ strategy }) => strategy))].filter((one) => one !== DEFAULT);
  const factors = others.map((other) => {
    const logs = draws.flatMap((draw) => {
      const [own, its] = [DEFAULT, other].map(
        (one) => draw.find(({ strategy }) => strategy === one)?.after.value,
      );
      return its === undefined ? [] : [Math.log(own / its)];
    });
    return `${Math.exp(mean(logs)).toFixed(2)} of \`${other}\`’s`;
  });
  return `A draw is one choice of rows. In ${counted('below')} of ${draws.length} \`${DEFAULT}\` is at or below every other strategy, in ${counted('within')} above the best but within its own interval, in ${counted('above')} above it. In the geometric mean over all draws it ends at ${factors.join(', ')}.`;
}

/** The cells of a group by their draw of rows; those in which the default is missing have nothing to tell. */
function drawsOf(cells) {
  return grouped(cells, ({ seed }) => seed).filter((draw) =>
    draw.some(({ strategy }) => strategy === DEFAULT),
  );
}

function outcome(draw) {
  const own = draw.find(({ strategy }) => strategy === DEFAULT)?.after;
  const others = draw.filter(({ strategy }) => strategy !== DEFAULT).map(({ after }) => after.value);
  if (!own || others.length === 0) return undefined;
  const best = Math.min(...others);
  return own.value <= best ? 'below' : own.low <= best ? 'within' : 'above';
}

function grouped(cells, by) {
  const groups = new Map();
  for (const cell of cells) groups.set(by(cell), [...(groups.get(by(cell)) ?? []), cell]);
  return [...groups.values()];
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
    `${first.calibrationTokens} tokens to calibrate on, ${first.tokens} tokens of answers in ${first.rows} held-out rows, ${first.epochs} ${first.epochs === 1 ? 'epoch' : 'epochs'}; ${base} Seconds are of the processor, choice and training and measuring together.`,
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

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function number({ value }) {
  return value.toFixed(4);
}

/** Three digits that count. */
function short(value) {
  return value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}
