/**
 * Exports in the programs that people load them with: onnxruntime-genai and transformers.js 4 and 3 make the same token ids of a
 * question and answer it with the same tokens as onnxruntime.
 */
import type { BlockName } from '../../src/schema/blocks.js';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePrompts } from '../../src/engine/data/encode-examples.js';
import { loadTokenizer } from '../../src/engine/data/tokenizer.js';
import type { Decoder } from '../../src/engine/decoder/decoder.js';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { transformersJsFile } from '../../src/engine/export/snippets.js';
import { cacheLinks, nextCache } from '../../src/engine/generate/cache-rows.js';
import { greedyToken } from '../../src/engine/generate/sampling.js';
import { readModel } from '../../src/engine/onnx/file/model-file.js';
import { emptyCache, tokenFeeds } from '../../src/engine/runtime/decoder-feeds.js';
import { openSession, type RunnableModel } from '../../src/engine/runtime/session.js';
import { logitsValues } from '../../src/engine/runtime/tensors.js';
import { runInGenai } from '../models/elsewhere.js';
import { runInTransformersJs } from '../models/transformers-js.js';
import { exportSample } from '../support/export-sample.js';
import { genaiPython, genaiReason } from '../support/genai-python.js';
import { hasShared, sharedReason } from '../support/shared-folder.js';
import { layoutFolder, layoutsHere, type Layout } from './consumer-layouts.js';

const questions = [
  'Ann has 58 nuts. Ann buys 17 more. Ann sells 26 nuts. How many nuts are there in the end?',
  'Wes has 37 toys. Then the number of toys doubles. Wes sells 7 toys. How many toys does Wes have now?',
  'Cleo has 14 apples.',
];
const NEW_TOKENS = 24;
/** The sample's token that ends a text. */
const END = 3;
const skippedOfSample: readonly BlockName[] = ['attention 8', 'attention 0', 'mlp 4'];

interface Answer {
  prompt: number[];
  tokens: number[];
}

interface Exported {
  folder: string;
  modelFile: string;
  /** What onnxruntime answers. */
  own: Answer[];
}

const layouts = layoutsHere(hasShared);
const exports = new Map<string, Exported>();

beforeAll(async () => {
  for (const [name, layout] of layouts) exports.set(name, await exported(layout));
}, 600_000);

async function exported(layout: Layout): Promise<Exported> {
  const { folder, modelPath } = await exportSample({
    from: await layoutFolder(layout),
    skipped: layout.skipped ?? skippedOfSample,
    granularity: 'channel+offset',
  });
  const modelFile = path.relative(folder, modelPath).replaceAll(path.sep, '/');
  return { folder, modelFile, own: await ownAnswers(folder, modelPath) };
}

/** Of the file as it was written: our generator splits fused norms, and float16 rounds otherwise then. */
async function ownAnswers(folder: string, modelPath: string): Promise<Answer[]> {
  const tokenizer = await loadTokenizer(folder);
  const examples = questions.map((content, line) => ({
    line,
    messages: [{ role: 'user' as const, content }],
  }));
  const decoder = readDecoder(await readModel(modelPath));
  const session = await openSession(modelPath, { threads: 1 });
  const answers: Answer[] = [];
  for (const { ids } of encodePrompts(tokenizer, examples).prompts)
    answers.push({ prompt: [...ids], tokens: await continuation(session, decoder, ids) });
  await session.release();
  return answers;
}

async function continuation(
  session: RunnableModel,
  decoder: Decoder,
  prompt: readonly number[],
): Promise<number[]> {
  const links = cacheLinks(decoder);
  const outputs = [decoder.logits, ...links.map(({ present }) => present)];
  const tokens: number[] = [];
  let cache = emptyCache(decoder, 1);
  let [fed, past] = [prompt, 0];
  while (tokens.length < NEW_TOKENS && tokens.at(-1) !== END) {
    const feeds = tokenFeeds(decoder, { rows: 1, positions: fed.length, ids: fed }, past);
    const results = await session.run({ ...feeds, ...cache }, outputs);
    cache = nextCache(links, results);
    const token = greedyToken(logitsValues(results[decoder.logits]!).slice(-decoder.vocabularySize));
    tokens.push(token);
    [fed, past] = [[token], past + fed.length];
  }
  return tokens;
}

/** Some give the token that ends a text, some do not. */
function withoutEnd(answers: readonly Answer[] | string | undefined): Answer[] {
  if (answers === undefined || typeof answers === 'string') throw new Error(`It does not run: ${answers}`);
  return answers.map(({ prompt, tokens }) => ({
    prompt,
    tokens: tokens.at(-1) === END ? tokens.slice(0, -1) : tokens,
  }));
}

it('onnxruntime answers at some length, and each question otherwise', () => {
  for (const { own } of exports.values()) {
    expect(own.every(({ tokens }) => tokens.length > 4)).toBe(true);
    expect(new Set(own.map(({ tokens }) => tokens.join())).size).toBe(questions.length);
  }
});

describe.each([4, 3] as const)(`transformers.js %i${sharedReason}`, (version) => {
  const run = layouts.filter(([, layout]) => whyUntried(version, layout) === undefined).map(([name]) => name);
  const results = new Map<string, Answer[] | string>();
  beforeAll(async () => {
    const models = run.map((name) => {
      const { folder, modelFile } = exports.get(name)!;
      return { folder, ...transformersJsFile(modelFile) };
    });
    const answers = await runInTransformersJs(version, models, questions, NEW_TOKENS);
    for (const [at, result] of answers.entries()) results.set(run[at]!, result);
  }, 600_000);

  for (const [name, layout] of layouts) {
    const reason = whyUntried(version, layout);
    const title = `${name}: answers with the same tokens${reason === undefined ? '' : ` (skipped: ${reason})`}`;
    it.skipIf(reason !== undefined)(title, () => {
      expect(withoutEnd(results.get(name))).toEqual(withoutEnd(exports.get(name)!.own));
    });
  }
});

function whyUntried(
  version: 3 | 4,
  { isFloat16 = false, needsNewRuntime = false, untried = {} }: Layout,
): string | undefined {
  if (untried[version] !== undefined) return untried[version];
  if (version === 4) return undefined;
  if (needsNewRuntime) return 'its onnxruntime 1.21 knows fewer inputs of GroupQueryAttention';
  // Without Float16Array (Node 20) it takes float16 logits for integers; with it (Node 24) its onnxruntime refuses the array.
  if (isFloat16) return 'in Node it does not run float16';
  return undefined;
}

describe.skipIf(genaiPython === undefined || !hasShared)(
  `onnxruntime-genai${genaiReason || sharedReason}`,
  () => {
    const names = layouts.filter(([, { exporter }]) => exporter === 'genai').map(([name]) => name);
    const results = new Map<string, Answer[] | string>();
    beforeAll(() => {
      const folders = names.map((name) => exports.get(name)!.folder);
      for (const [at, result] of runInGenai(genaiPython!, folders, questions, NEW_TOKENS).entries())
        results.set(names[at]!, result);
    }, 600_000);

    it.each(names)('%s: answers with the same tokens', (name) => {
      expect(withoutEnd(results.get(name))).toEqual(withoutEnd(exports.get(name)!.own));
    });
  },
);
