/** `hopscotch compare --prompts`: a list of prompts through several models, and what their answers come to. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  CancelledError,
  compareList,
  newComparison,
  UserError,
  type ComparedModel,
  type ComparisonDetails,
  type ComparisonSettings,
  type Device,
  type JobContext,
} from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { JobProgress } from '../job-progress.js';
import { printResult } from '../output.js';
import { stopOnInterrupt } from '../stop-signal.js';
import { formatTable } from '../table.js';
import { count, percent } from '../words.js';

export interface ListFlags {
  prompts?: string;
  columns?: string;
  count?: number;
  system?: string;
  maxNewTokens: number;
  temperature?: number;
  seed: number;
  json?: boolean;
}

/** Rows that are shown as they are. */
const SHOWN_ROWS = 5;

/** @throws UserError if a model or the prompts are not there */
export async function compareLists(
  names: readonly string[],
  prompts: string,
  flags: ListFlags & Device & { memory?: number },
): Promise<void> {
  const progress = new JobProgress();
  const context = commandContext({
    device: flags,
    memory: flags.memory,
    signal: stopOnInterrupt(),
    on: (event) => progress.show(event),
  });
  const models = names.map((name) => modelNamed(name, context));
  const settings: ComparisonSettings = {
    models,
    prompts: promptsOf(prompts, flags.columns, models),
    count: flags.count,
    system: flags.system,
    maxNewTokens: flags.maxNewTokens,
    temperature: flags.temperature || undefined,
    seed: flags.seed,
  };
  const { id, done } = await newComparison(settings, context);
  if (done > 0) process.stderr.write(`Goes on with ${id}, which has ${count(done, 'answer')} already.\n`);
  try {
    const details = await compareList({ comparison: id }, context).finally(() => progress.end());
    printResult(flags.json, details, () => comparisonText(details));
  } catch (error) {
    if (error instanceof CancelledError)
      process.stderr.write(`What is answered is kept as ${id}; the same command goes on with it.\n`);
    throw error;
  } finally {
    await context.kept.release();
  }
}

/** 'last@4' is a point of a run, unless there is a folder of that name. @throws UserError if there is no such run */
export function modelNamed(name: string, { store }: Pick<JobContext, 'store'>): ComparedModel {
  const [, run, blocks] = /^(.+)@(\d+)$/.exec(name) ?? [];
  if (run === undefined || existsSync(name)) return { kind: 'model', model: path.resolve(name) };
  return { kind: 'point', run: store.open(run).id, blocks: Number(blocks) };
}

function promptsOf(
  prompts: string,
  columns: string | undefined,
  models: readonly ComparedModel[],
): ComparisonSettings['prompts'] {
  if (prompts !== 'heldout') return { from: 'file', file: path.resolve(prompts), columns };
  const point = models.find((model) => model.kind === 'point');
  if (point) return { from: 'heldout', run: point.run };
  throw new UserError("'heldout' needs a point of a run among the models, such as last@4; or name a file.");
}

/** Figures of each model, and the worst rows. */
export function comparisonText({ summary, models, rows }: ComparisonDetails): string {
  const range = ({ value, low, high }: Estimated, format: (share: number) => string) =>
    `${format(value)} (${format(low)} to ${format(high)})`;
  const times = (ratio: number) => `${ratio.toFixed(2)} x`;
  const cell = (estimate: Estimated | undefined, format: (share: number) => string) =>
    estimate ? range(estimate, format) : '';
  const row = (name: string, of: (model: Figures) => string) => [name, ...models.map(of)];
  const figures = [
    row('answers the same as the first’s', ({ against }) => cell(against?.same, percent)),
    row('right answers', ({ right }) => cell(right, percent)),
    row('the very words', ({ exact }) => cell(exact, percent)),
    row('the right number', ({ numeric }) => cell(numeric, percent)),
    row('right answers, against the first', ({ against }) => cell(against?.change, percent)),
    row('flips: lost, gained', ({ against }) =>
      against?.lost === undefined
        ? ''
        : `${against.lost}, ${against.gained} (chance ${against.flipChance!.toPrecision(2)})`,
    ),
    row('tokens a second', ({ tokensPerSecond }) => cell(tokensPerSecond, (rate) => rate.toFixed(1))),
    row('speed, against the first', ({ against }) => cell(against?.speed, times)),
    row('seconds an answer', ({ seconds }) => cell(seconds, (time) => time.toFixed(2))),
  ].filter((cells) => cells.slice(1).some((text) => text !== ''));
  const worst = rows.filter(({ answers }) => answers.some((answer) => answer?.same === false));
  return [
    `${count(summary.prompts, 'prompt')} of ${summary.source}, with 95 % intervals:`,
    '',
    formatTable([['', ...models.map(({ name }) => name)], ...figures], { indent: '  ' }),
    ...worst
      .slice(0, SHOWN_ROWS)
      .flatMap(({ line, prompt, expected, answers }) => [
        '',
        `line ${line}: ${oneLine(prompt)}`,
        ...(expected === undefined ? [] : [`  expected: ${oneLine(expected)}`]),
        ...answers.map((answer, place) => `  ${summary.names[place]}: ${oneLine(answer?.text ?? '')}`),
      ]),
    '',
    `All ${count(rows.length, 'row')} with --json, or in the app under Compare.`,
  ].join('\n');
}

type Figures = ComparisonDetails['models'][number];
type Estimated = NonNullable<Figures['right']>;

const LONGEST_LINE = 200;

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} …` : line;
}
