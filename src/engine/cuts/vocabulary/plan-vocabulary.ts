/** Which tokens of a vocabulary stay: all that texts of some scripts can be made of (docs/decisions/075-tokens-that-stay.md). */
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { loadTokenizer } from '../../data/tokenizer.js';
import { readTokenizerFiles } from '../../data/tokenizer-files.js';
import type { Decoder } from '../../decoder/decoder.js';
import type { ModelFolder } from '../../onnx/file/model-folder.js';
import { frequentTokens } from './frequent-tokens.js';
import { KeptCharacters } from './kept-characters.js';
import { configsIn, idsNamedIn } from './renumber-configs.js';
import { idsAround } from './renumber-tokenizer.js';
import { scriptName, scriptsCalled, scriptsOf } from './scripts.js';
import { isObject, kindProblem, tokenizerModel, type Json, type TokenizerModel } from './tokenizer-model.js';

/** Rows are kept in multiples of this, for kernels that compute so many at once. */
const ROWS_AT_ONCE = 32;

export interface VocabularyRequest {
  source: Pick<ModelFolder, 'folder'>;
  decoder: Pick<Decoder, 'embeddingRows' | 'vocabularySize'>;
  /**
   * 'task' for the scripts that `texts` are written in, or names of scripts and languages, with commas between; 'task' may
   * be one of them.
   */
  keep: string;
  /** What the model reads and writes in the task. */
  texts?: readonly string[];
  /**
   * Tokens at the most, in multiples of 32: those of `texts`, and the most frequent ones of the kept scripts. The texts are
   * cut as before, if their tokens are not too many already; other text is cut into other tokens.
   */
  limit?: number;
}

export interface KeptScript {
  /** 'Latin' */
  name: string;
  /** Texts of the task that have characters of it; undefined where it was named, or is that of the chat's roles. */
  texts?: number;
  reason: 'task' | 'named' | 'chat template';
}

export interface VocabularyPlan {
  /** Old ids in ascending order: entry i is the old id of the new id i. */
  kept: readonly number[];
  /** Rows of the original's embedding. */
  rows: number;
  /** Tokens of the original's tokenizer. */
  tokens: number;
  scripts: readonly KeptScript[];
  /** Whether every text of the kept scripts is cut into the same tokens as before: always without a limit that bites. */
  isExact: boolean;
}

/** The new id of an old one; undefined if its token is dropped. Ids behind the embedding's rows stay behind them. */
export function renumbering(plan: Pick<VocabularyPlan, 'kept' | 'rows'>): (id: number) => number | undefined {
  const ids = new Map(plan.kept.map((old, id) => [old, id]));
  return (id) => (id < plan.rows ? ids.get(id) : id - plan.rows + plan.kept.length);
}

/** Token ids of the original as those of the cut model; undefined if one of the tokens is dropped. */
export function renumbered(
  ids: readonly number[],
  newId: ReturnType<typeof renumbering>,
): number[] | undefined {
  const found = ids.map(newId);
  return found.every((id) => id !== undefined) ? found : undefined;
}

/**
 * Why the vocabulary that a folder's tokenizer has cannot be cut, in one sentence; undefined if it can.
 * @throws UserError if there is no tokenizer
 */
export async function tokenizerProblem({ folder }: Pick<ModelFolder, 'folder'>): Promise<string | undefined> {
  const { tokenizer } = await readTokenizerFiles(folder);
  return kindProblem(tokenizer as Json, path.join(folder, 'tokenizer.json'));
}

/**
 * @throws UserError if the tokenizer is missing or of a kind that is not understood, a script is not known, none is found in
 *   the texts, or the limit is lower than what must stay
 */
export async function planVocabulary(request: VocabularyRequest): Promise<VocabularyPlan> {
  const { folder } = request.source;
  const files = await readTokenizerFiles(folder);
  const tokenizer = files.tokenizer as Json;
  const model = tokenizerModel(tokenizer, path.join(folder, 'tokenizer.json'));
  const chosen = chosenScripts(request, files.chatTemplate !== undefined);
  const characters = new KeptCharacters(
    chosen.scripts.map(({ code }) => code),
    [...chosen.others, ...model.insertedText],
    model.normalisation,
  );
  const { embeddingRows: rows } = request.decoder;
  const always = new Set([...alwaysKept(model, tokenizer, files.config, folder)].filter((id) => id < rows));
  const ofScripts = model.tokens.flatMap((token, id) =>
    token !== undefined && id < rows && !always.has(id) && isOf(characters, model, token) ? [id] : [],
  );
  const within = await withinLimit(model, always, ofScripts, request);
  return {
    kept: inWholeRows(new Set([...always, ...within]), request),
    rows,
    tokens: model.tokens.filter((token) => token !== undefined).length,
    scripts: chosen.scripts.map(({ code, ...script }) => ({ name: scriptName(code), ...script })),
    isExact: within.length === ofScripts.length,
  };
}

interface ChosenScripts {
  scripts: (Omit<KeptScript, 'name'> & { code: string })[];
  others: ReadonlySet<string>;
}

function chosenScripts({ keep, texts = [] }: VocabularyRequest, isChat: boolean): ChosenScripts {
  const names = keep.split(',').map((name) => name.trim().toLowerCase());
  const byTask = names.includes('task');
  const found = byTask ? scriptsOf(texts) : { texts: new Map<string, number>(), others: new Set<string>() };
  const scripts: ChosenScripts['scripts'] = [...found.texts].map(([code, count]) => ({
    code,
    texts: count,
    reason: 'task',
  }));
  const add = (code: string, reason: KeptScript['reason']) => {
    if (!scripts.some((script) => script.code === code)) scripts.push({ code, reason });
  };
  for (const name of names) {
    if (name !== 'task') for (const code of scriptsCalled(name)) add(code, 'named');
  }
  // Roles are written in it: 'user', 'assistant'.
  if (isChat) add('Latn', 'chat template');
  if (scripts.length > 0) return { scripts, others: found.others };
  throw new UserError(
    "No letter was found in the task's texts, so that the scripts whose tokens must stay are not known; name them (latin, for instance), or keep the whole vocabulary.",
  );
}

function isOf(characters: KeptCharacters, model: TokenizerModel, token: string): boolean {
  const spelt = model.spelt(token);
  if (spelt === undefined) return true;
  return typeof spelt === 'string' ? characters.hasText(spelt) : characters.hasBytes(spelt);
}

/** Ids of tokens that stay whatever the texts are: added ones, letters, and those that configs and templates name. */
function alwaysKept(model: TokenizerModel, tokenizer: Json, config: Json, folder: string): Set<number> {
  const kept = new Set(model.ownIds);
  const added = Array.isArray(tokenizer.added_tokens) ? (tokenizer.added_tokens as unknown[]) : [];
  for (const token of added) if (isObject(token) && typeof token.id === 'number') kept.add(token.id);
  const decoder = isObject(config.added_tokens_decoder) ? config.added_tokens_decoder : {};
  for (const id of Object.keys(decoder)) kept.add(Number(id));
  for (const [id, token] of model.tokens.entries()) {
    if (token !== undefined && model.isLetter(token)) kept.add(id);
  }
  for (const id of [...configsIn(folder).flatMap(idsNamedIn), ...idsAround(tokenizer)]) kept.add(id);
  return kept;
}

async function withinLimit(
  model: TokenizerModel,
  always: ReadonlySet<number>,
  ofScripts: readonly number[],
  { source, texts = [], limit = Infinity }: VocabularyRequest,
): Promise<readonly number[]> {
  if (limit >= always.size + ofScripts.length) return ofScripts;
  if (limit < always.size) {
    throw new UserError(
      `The vocabulary cannot have ${limit} tokens: ${always.size} special tokens and letters must stay; allow more.`,
    );
  }
  const room = Math.max(limit - (limit % ROWS_AT_ONCE), always.size) - always.size;
  const tokenizer = await loadTokenizer(source.folder);
  const ofTask = new Set(texts.flatMap((text) => tokenizer.encode(text)));
  return frequentTokens(model, always, ofScripts, ofTask, room);
}

/** Rounded up with tokens that would be dropped, the first ones: rows without a meaning could win over all others. */
function inWholeRows(kept: Set<number>, { decoder, limit = Infinity }: VocabularyRequest): number[] {
  const end = Math.min(decoder.embeddingRows, decoder.vocabularySize);
  const size = Math.ceil(kept.size / ROWS_AT_ONCE) * ROWS_AT_ONCE;
  if (size <= limit) for (let id = 0; id < end && kept.size < size; id += 1) kept.add(id);
  return [...kept].toSorted((a, b) => a - b);
}
