/** One cut of each kind, from the settings that ask for it to a folder and a sentence. */
import type { CutKind, Cuts } from '../../../schema/cuts.js';
import { UserError } from '../../../schema/errors.js';
import type { JobSettings } from '../../../schema/settings.js';
import { cutNeurons } from '../../cuts/neurons/cut-neurons.js';
import { neuronsProblem } from '../../cuts/neurons/neurons-problem.js';
import { planNeurons } from '../../cuts/neurons/plan-neurons.js';
import { lastTokenHead, lastTokenProblem } from '../../cuts/last-token/last-token-head.js';
import { changePrecision } from '../../cuts/precision/change-precision.js';
import { precisionProblem } from '../../cuts/precision/precision-problem.js';
import { cutVocabulary, vocabularyProblem } from '../../cuts/vocabulary/cut-vocabulary.js';
import { planVocabulary } from '../../cuts/vocabulary/plan-vocabulary.js';
import { isTextExample, type Example } from '../../data/example.js';
import { loadTokenizer } from '../../data/tokenizer.js';
import type { CutStatistics } from './cut-statistics.js';
import { readRows } from './rows.js';
import type { SourceModel } from './source-model.js';

export interface CutTask {
  before: SourceModel;
  /** The folder to make. */
  folder: string;
  settings: JobSettings;
  /** Of the model before; absent for the vocabulary, which is cut before rows are encoded. */
  statistics: CutStatistics | undefined;
  signal: AbortSignal | undefined;
  onProgress(done: number, total: number): void;
}

/** Why a model cannot be cut so, in one sentence; undefined where it can. Reads no weights. */
export function cutProblem(
  kind: CutKind,
  { decoder }: Pick<SourceModel, 'decoder'>,
  { precision, vocabulary }: Cuts,
): string | undefined {
  switch (kind) {
    case 'vocabulary':
      return vocabularyProblem(decoder) ?? choiceProblem(vocabulary);
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

/** 'task', 'latin,greek', or either with a number of tokens behind a colon. */
const VOCABULARY_CHOICE = /^([^:]+)(?::\s*([1-9]\d*))?$/;

function choiceProblem(text: string | undefined): string | undefined {
  if (text === undefined || VOCABULARY_CHOICE.test(text.trim())) return undefined;
  return `'${text}' names no vocabulary; write scripts, and if you like a number of tokens behind a colon: 'task:32000'.`;
}

/** @throws UserError if it names no vocabulary */
function vocabularyChoice(text: string): { keep: string; limit?: number } {
  const [, keep, limit] = VOCABULARY_CHOICE.exec(text.trim()) ?? [];
  if (keep === undefined) throw new UserError(choiceProblem(text)!);
  return { keep: keep.trim(), ...(limit !== undefined && { limit: Number(limit) }) };
}

async function removeNeurons({ before, settings, statistics, ...others }: CutTask): Promise<string> {
  const { source, decoder } = before;
  const share = settings.cuts.neurons!;
  const measured = await statistics!.neurons((done, total) => others.onProgress(done, 2 * total));
  const { neuronsBefore, neuronsAfter, refitted } = await cutNeurons({
    source,
    decoder,
    kept: planNeurons(decoder, measured, { share }),
    refit: { batches: statistics!.refitBatches, runOptions: statistics!.runOptions },
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

async function lowerPrecision({ before, settings, statistics, ...others }: CutTask): Promise<string> {
  const { source, decoder } = before;
  const precision = settings.cuts.precision!;
  const problem = precisionProblem(decoder, precision);
  if (problem !== undefined) throw new UserError(problem);
  const sensitivities = await statistics!.sensitivities((done, total) => others.onProgress(done, 2 * total));
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
