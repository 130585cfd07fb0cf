/**
 * Exports in the programs that people load them with: onnxruntime-genai and transformers.js 4 and 3 make the same token ids of a
 * question and answer it with the same tokens as onnxruntime in our generator.
 */
import type { BlockName } from '../../src/schema/blocks.js';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { stopTokenIds } from '../../src/engine/data/conversation-text.js';
import { encodePrompts } from '../../src/engine/data/encode-examples.js';
import { loadTokenizer } from '../../src/engine/data/tokenizer.js';
import { transformersJsFile } from '../../src/engine/export/snippets.js';
import { Generator } from '../../src/engine/generate/generator.js';
import { openModel } from '../../src/engine/jobs/parts/source-model.js';
import { runInGenai, runInTransformersJs } from '../models/elsewhere.js';
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
const skipped: readonly BlockName[] = ['attention 8', 'attention 0', 'mlp 4'];

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
    from: layoutFolder(layout),
    skipped,
    granularity: 'channel+offset',
  });
  const modelFile = path.relative(folder, modelPath).replaceAll(path.sep, '/');
  return { folder, modelFile, own: await ownAnswers(folder) };
}

async function ownAnswers(folder: string): Promise<Answer[]> {
  const tokenizer = await loadTokenizer(folder);
  const { decoder } = await openModel(folder);
  const examples = questions.map((content, line) => ({
    line,
    messages: [{ role: 'user' as const, content }],
  }));
  const prompts = encodePrompts(tokenizer, examples).prompts.map(({ ids }) => [...ids]);
  // A prompt at a time, as the others run them: rounded activations depend on what else is in a batch.
  const generator = await Generator.open(decoder, { threads: 1 }, 1);
  const stopTokens = new Set(stopTokenIds(tokenizer));
  const results = await generator.generate(prompts, { maxNewTokens: NEW_TOKENS, stopTokens });
  await generator.release();
  return results.map(({ tokens }, index) => ({ prompt: prompts[index]!, tokens }));
}

/** Some give the token that ends a text, some do not. */
function withoutEnd(answers: readonly Answer[] | string | undefined): Answer[] {
  if (answers === undefined || typeof answers === 'string') throw new Error(`It does not run: ${answers}`);
  const end = 3;
  return answers.map(({ prompt, tokens }) => ({
    prompt,
    tokens: tokens.at(-1) === end ? tokens.slice(0, -1) : tokens,
  }));
}

it('onnxruntime answers at some length, and each question otherwise', () => {
  for (const { own } of exports.values()) {
    expect(own.every(({ tokens }) => tokens.length > 4)).toBe(true);
    expect(new Set(own.map(({ tokens }) => tokens.join())).size).toBe(questions.length);
  }
});

describe.each([4, 3] as const)(`transformers.js %i${sharedReason}`, (version) => {
  const isRun = ({ isFloat16 = false }: Layout) =>
    version === 4 || !isFloat16 || 'Float16Array' in globalThis;
  const results = new Map<string, Answer[] | string>();
  beforeAll(() => {
    const run = layouts.filter(([, layout]) => isRun(layout)).map(([name]) => name);
    const models = run.map((name) => {
      const { folder, modelFile } = exports.get(name)!;
      return { folder, ...transformersJsFile(modelFile) };
    });
    for (const [at, result] of runInTransformersJs(version, models, questions, NEW_TOKENS).entries())
      results.set(run[at]!, result);
  }, 600_000);

  for (const [name, layout] of layouts) {
    const reason = isRun(layout) ? '' : ' (skipped: it needs Float16Array, which this Node does not have)';
    it.skipIf(!isRun(layout))(`${name}: answers with the same tokens${reason}`, () => {
      expect(withoutEnd(results.get(name))).toEqual(withoutEnd(exports.get(name)!.own));
    });
  }
});

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
