/** Writes a model without the tokens that a plan drops: rows of its tables, its tokenizer, and all that names token ids. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { readTokenizerFiles } from '../../data/tokenizer-files.js';
import type { Decoder } from '../../decoder/decoder.js';
import { writeCompleteFolder } from '../../export/complete-folder.js';
import { writeWholeModel } from '../../export/whole-model.js';
import { readConfigFile } from '../../onnx/file/config-file.js';
import type { ModelFolder } from '../../onnx/file/model-folder.js';
import { elementCount, tensorByteLength, tensorDims } from '../../onnx/graph/tensor.js';
import { cutGraph } from './cut-graph.js';
import { renumbering, type VocabularyPlan } from './plan-vocabulary.js';
import { renumberConfig, type VocabularyChange } from './renumber-configs.js';
import { cutMergesFile, renumberTokenizer, renumberVocabulary } from './renumber-tokenizer.js';
import { tokenizerModel, type Json } from './tokenizer-model.js';
import { vocabularyPlaces, type VocabularyTable } from './vocabulary-tables.js';

export interface CutVocabularyRequest {
  source: ModelFolder;
  /** Of the source; weights that it left in their files are read one at a time. */
  decoder: Decoder;
  plan: VocabularyPlan;
  /** The folder to make; must not exist, or be empty. */
  output: string;
  signal?: AbortSignal;
  /** Weights written so far. */
  onProgress?: (done: number, total: number) => void;
}

export interface CutVocabulary extends VocabularySavings {
  folder: string;
  /** Files of the source that hold its whole vocabulary in a form of their own, and are not in the cut model's folder. */
  leftOut: readonly string[];
}

export interface VocabularySavings {
  /** Rows of the embedding. */
  keptTokens: number;
  tokens: number;
  /** Of the tables that have a row a token, each counted once. */
  bytesBefore: number;
  bytesAfter: number;
  parametersBefore: number;
  parametersAfter: number;
}

/** Files of a tokenizer that hold a vocabulary which is not rewritten: SentencePiece's, tiktoken's. */
const OTHER_VOCABULARIES = /^(tokenizer\.(?!json$).*|spiece\.model|vocab\.txt)$/i;

/** Why the vocabulary of a model cannot be cut, in one sentence; undefined if it can. The tokenizer is judged by its plan. */
export function vocabularyProblem(decoder: Decoder): string | undefined {
  const places = vocabularyPlaces(decoder);
  return typeof places === 'string' ? places : undefined;
}

/**
 * What a plan saves, from the shapes of the weights alone.
 * @throws UserError if the vocabulary cannot be cut
 */
export function vocabularySavings(
  decoder: Decoder,
  { kept }: Pick<VocabularyPlan, 'kept'>,
): VocabularySavings {
  const places = vocabularyPlaces(decoder);
  if (typeof places === 'string') throw new UserError(places);
  const { tables } = places;
  const part = ({ rows }: VocabularyTable) => kept.filter((id) => id < rows).length / rows;
  const sum = (measure: (table: VocabularyTable) => number) =>
    Math.round(tables.reduce((total, table) => total + measure(table), 0));
  const parameters = ({ tensor }: VocabularyTable) => elementCount(tensorDims(tensor));
  const bytes = ({ tensor }: VocabularyTable) => tensorByteLength(tensor);
  return {
    keptTokens: kept.length,
    tokens: decoder.embeddingRows,
    bytesBefore: sum(bytes),
    bytesAfter: sum((table) => bytes(table) * part(table)),
    parametersBefore: sum(parameters),
    parametersAfter: sum((table) => parameters(table) * part(table)),
  };
}

/**
 * The cut model gives the original's logits of the kept tokens.
 * @throws UserError if the model's vocabulary cannot be cut, or the output is not free; CancelledError if stopped. Nothing is
 *   left behind then
 */
export async function cutVocabulary(request: CutVocabularyRequest): Promise<CutVocabulary> {
  const { source, decoder, plan, output } = request;
  const savings = vocabularySavings(decoder, plan);
  const leftOut = await writeCompleteFolder(output, source.folder, async (folder) => {
    const cut = cutGraph(decoder, plan.kept);
    const edit = ({ name }: { name: string }) => cut.edits.get(name);
    await writeWholeModel({ ...request, original: decoder, decoder: cut.decoder, edit }, folder);
    return await renumberFolder(folder, decoder, plan);
  });
  return { ...savings, folder: path.resolve(output), leftOut };
}

/** Rewrites what names token ids in a folder to which all companions were copied; returns what had to be left out. */
async function renumberFolder(folder: string, decoder: Decoder, plan: VocabularyPlan): Promise<string[]> {
  const newId = renumbering(plan);
  const change: VocabularyChange = {
    newId,
    sizes: new Set([decoder.embeddingRows, decoder.vocabularySize]),
    size: plan.kept.length,
  };
  const tokenizer = (await readTokenizerFiles(folder)).tokenizer as Json;
  const model = tokenizerModel(tokenizer, path.join(folder, 'tokenizer.json'));
  const leftOut: string[] = [];
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (OTHER_VOCABULARIES.test(name)) {
      rmSync(file);
      leftOut.push(name);
    } else if (name === 'tokenizer.json') {
      rewrite(file, JSON.stringify(renumberTokenizer(tokenizer, model, newId)));
    } else if (name === 'vocab.json' || name === 'added_tokens.json') {
      rewrite(file, JSON.stringify(renumberVocabulary(readConfigFile(file), newId)));
    } else if (name === 'merges.txt') {
      rewrite(file, cutMergesFile(readFileSync(file, 'utf8'), model, newId));
    } else if (/^((generation_|genai_|tokenizer_)?config)\.json$/.test(name)) {
      rewrite(file, `${JSON.stringify(renumberConfig(readConfigFile(file), change), undefined, 2)}\n`);
    }
  }
  return leftOut;
}

/** Copies keep the source's mode, which may be read-only. */
function rewrite(file: string, text: string): void {
  if (existsSync(file)) rmSync(file);
  writeFileSync(file, text);
}
