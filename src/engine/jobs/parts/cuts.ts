/** One cut of each kind, from the settings that ask for it to a folder and a sentence. */
import type { CutKind, Cuts } from '../../../schema/cuts.js';
import { UserError } from '../../../schema/errors.js';
import type { JobSettings } from '../../../schema/settings.js';
import { cutNeurons } from '../../cuts/neurons/cut-neurons.js';
import { neuronStatistics } from '../../cuts/neurons/neuron-statistics.js';
import { neuronsProblem } from '../../cuts/neurons/neurons-problem.js';
import { planNeurons } from '../../cuts/neurons/plan-neurons.js';
import { lastTokenHead, lastTokenProblem } from '../../cuts/last-token/last-token-head.js';
import { changePrecision } from '../../cuts/precision/change-precision.js';
import { precisionProblem } from '../../cuts/precision/precision-problem.js';
import { gatherSensitivities } from '../../cuts/precision/sensitivities.js';
import { cutVocabulary, vocabularyProblem } from '../../cuts/vocabulary/cut-vocabulary.js';
import { planVocabulary } from '../../cuts/vocabulary/plan-vocabulary.js';
import type { EncodedRow } from '../../data/encoded-row.js';
import { isTextExample, type Example } from '../../data/example.js';
import { loadTokenizer } from '../../data/tokenizer.js';
import { makeLossBatch, type LossBatch } from '../../loss/loss-batch.js';
import type { RunOptions } from '../../runtime/session.js';
import { readRows } from './rows.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';

export interface CutTask {
  before: SourceModel;
  /** The folder to make. */
  folder: string;
  settings: JobSettings;
  /** Absent for the vocabulary, which is cut before rows are encoded. */
  task: PreparedTask | undefined;
  runOptions: RunOptions;
  signal: AbortSignal | undefined;
  onProgress(done: number, total: number): void;
}

/** Tokens of the task, prompts included, on which a cut is decided: more of them change little. */
const DECIDING_TOKENS = { precision: 8_000, neurons: 4_000, refit: 16_000 };
const BATCH_ROWS = 4;

/** Why a model cannot be cut so, in one sentence; undefined where it can. Reads no weights. */
export function cutProblem(
  kind: CutKind,
  { decoder }: Pick<SourceModel, 'decoder'>,
  { precision }: Cuts,
): string | undefined {
  switch (kind) {
    case 'vocabulary':
      return vocabularyProblem(decoder);
    case 'neurons':
      return neuronsProblem(decoder);
    case 'precision':
      return precisionProblem(decoder, precision!);
    case 'last-token':
      return lastTokenProblem(decoder);
  }
}

/**
 * @returns what was done, in one sentence
 * @throws UserError if the model cannot be cut so; CancelledError if stopped
 */
export async function makeCut(kind: CutKind, task: CutTask): Promise<string> {
  switch (kind) {
    case 'vocabulary':
      return await keepVocabulary(task);
    case 'neurons':
      return await removeNeurons(task);
    case 'precision':
      return await lowerPrecision(task);
    case 'last-token':
      return await cutHead(task);
  }
}

async function keepVocabulary({ before, settings, ...task }: CutTask): Promise<string> {
  const { source, decoder } = before;
  const tokenizer = await loadTokenizer(source.folder);
  const { examples } = await readRows({ tokenizer, model: decoder }, settings);
  const plan = await planVocabulary({
    source,
    decoder,
    ...vocabularyChoice(settings.cuts.vocabulary!),
    texts: examples.flatMap(textsOf),
  });
  const { keptTokens, tokens } = await cutVocabulary({ source, decoder, plan, ...ofFolder(task) });
  const scripts = plan.scripts.map(({ name }) => name).join(', ');
  const which = plan.isExact
    ? `all that texts in ${scripts} are made of`
    : `those of the task and the most frequent ones of ${scripts}, so that other texts are cut into more tokens`;
  return `${keptTokens.toLocaleString('en')} of ${tokens.toLocaleString('en')} tokens stay, ${which}; texts in other scripts are read byte by byte.`;
}

/** 'task', 'latin,greek', or either with a number of tokens behind a colon. @throws UserError if that is no number */
function vocabularyChoice(text: string): { keep: string; limit?: number } {
  const [keep = '', limit, more] = text.split(':').map((part) => part.trim());
  if (limit === undefined) return { keep };
  if (more === undefined && /^[1-9]\d*$/.test(limit)) return { keep, limit: Number(limit) };
  throw new UserError(
    `'${text}' names no vocabulary; write scripts, and if you like a number of tokens behind a colon: 'task:32000'.`,
  );
}

async function removeNeurons({ before, settings, task, runOptions, ...others }: CutTask): Promise<string> {
  const { source, decoder } = before;
  const share = settings.cuts.neurons!;
  const { signal } = others;
  const statistics = await neuronStatistics(decoder, batchesOf(decoder, task!, DECIDING_TOKENS.neurons), {
    runOptions,
    ...(signal && { signal }),
    onProgress: (done, total) => others.onProgress(done, 2 * total),
  });
  const { neuronsBefore, neuronsAfter, refitted } = await cutNeurons({
    source,
    decoder,
    kept: planNeurons(decoder, statistics, { share }),
    refit: { batches: batchesOf(decoder, task!, DECIDING_TOKENS.refit), runOptions },
    ...ofFolder(others),
    onProgress: (done, total) => others.onProgress(total + done, 2 * total),
  });
  const removed = neuronsBefore - neuronsAfter;
  const fit =
    refitted.length > 0
      ? '; the last products of the MLPs were fitted anew on the task to make up for it'
      : '';
  return `${removed.toLocaleString('en')} of ${neuronsBefore.toLocaleString('en')} neurons of the MLPs were removed, those that the task needs least${fit}.`;
}

async function lowerPrecision({ before, settings, task, runOptions, ...others }: CutTask): Promise<string> {
  const { source, decoder } = before;
  const precision = settings.cuts.precision!;
  const { signal } = others;
  const problem = precisionProblem(decoder, precision);
  if (problem !== undefined) throw new UserError(problem);
  const sensitivities = await gatherSensitivities(
    decoder,
    batchesOf(decoder, task!, DECIDING_TOKENS.precision),
    {
      runOptions,
      ...(signal && { signal }),
      onProgress: (done, total) => others.onProgress(done, 2 * total),
    },
  );
  const { packedWeights } = await changePrecision({
    source,
    decoder,
    precision,
    sensitivities,
    ...ofFolder(others),
    onProgress: (done, total) => others.onProgress(total + done, 2 * total),
  });
  return precision === 'fp16'
    ? 'Weights and computation are in float16.'
    : `${packedWeights} weights are in ${precision === 'int8' ? 8 : 4} bits (${precision}), rounded so that the task's activations notice it least.`;
}

async function cutHead({ before, ...task }: CutTask): Promise<string> {
  const { source, decoder } = before;
  await lastTokenHead({ source, decoder, ...ofFolder(task) });
  return 'Logits are those of the last position alone.';
}

function ofFolder({ folder, signal, onProgress }: Pick<CutTask, 'folder' | 'signal' | 'onProgress'>) {
  return { output: folder, onProgress, ...(signal && { signal }) };
}

function textsOf(example: Example): string[] {
  if (isTextExample(example)) return [example.text];
  const { messages, response } = example;
  return [...messages.map(({ content }) => content), ...(response === undefined ? [] : [response])];
}

/** The first calibration rows, as many as have so many tokens. */
function batchesOf(
  decoder: SourceModel['decoder'],
  { calibration, tokenizer }: PreparedTask,
  most: number,
): LossBatch[] {
  let tokens = 0;
  const end = calibration.findIndex(({ ids }) => (tokens += ids.length) > most);
  const rows: readonly EncodedRow[] = calibration.slice(0, end < 0 ? undefined : Math.max(1, end));
  const sorted = rows.toSorted((a, b) => a.ids.length - b.ids.length);
  const count = Math.ceil(sorted.length / BATCH_ROWS);
  return Array.from({ length: count }, (_, index) =>
    makeLossBatch(decoder, sorted.slice(index * BATCH_ROWS, (index + 1) * BATCH_ROWS), tokenizer.padTokenId),
  );
}
