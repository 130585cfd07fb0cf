import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../../../test/graphs/genai-decoder.js';
import { importModel } from '../../../test/support/import-model.js';
import { hasShared, repositoryRoot, sharedPath, sharedReason } from '../../../test/support/shared-folder.js';
import { readModel } from '../onnx/file/model-file.js';
import { floatTensor, tensorDims } from '../onnx/graph/tensor.js';
import { readsRowsBesideCache } from '../decoder/read/fused-attention.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { CancelledError } from '../../schema/errors.js';
import type { GenerationSettings } from './generation-settings.js';
import { Generator } from './generator.js';

const families = path.join(repositoryRoot, 'test', 'families', 'phi3');
const none: ReadonlySet<number> = new Set();
const prompts = [[3, 1, 4, 1, 5], [9, 2], [6], [5, 3, 5, 8, 9, 7, 9], [2, 7], [1, 8, 2, 8, 1]];

describe.each(decoderStyles)('greedy generation in the style of $name', (style) => {
  it('gives the same alone, in a batch of prompts of any length, and without a KV cache', async () => {
    const alone = await generate(true, 1);
    expect(new Set(alone.map(String)).size).toBe(prompts.length);
    expect(await generate(true, 4)).toEqual(alone);
    expect(await generate(false, 4)).toEqual(alone);
    expect(await generate(true, 1, 2)).toEqual(alone);
  });

  it('reads once what all prompts of a batch begin with', async () => {
    const alike = prompts.map((prompt) => [12, 7, 5, 1, 6, ...prompt]);
    const read: number[] = [];
    const alone = await generate(true, 1, undefined, alike, read);
    expect(await generate(true, 6, undefined, alike, read)).toEqual(alone);
    // The longest prompt is a batch of its own; the others go on one by one from the shortest one's end.
    expect(read).toEqual([alike.flat().length, 5 + 5 * 1 + 12]);
  });

  async function generate(
    cache: boolean,
    batchRows: number,
    promptChunk?: number,
    texts = prompts,
    read: number[] = [],
  ): Promise<number[][]> {
    const generator = await Generator.open(readDecoder(buildDecoder(style, { cache })), { threads: 1 });
    const settings = { maxNewTokens: 8, stopTokens: none, batchRows, ...(promptChunk && { promptChunk }) };
    const results = await generator.generate(texts, settings);
    read.push(generator.timing.promptTokens);
    await generator.release();
    return results.map(({ tokens }) => tokens);
  }
});

describe('a text that passes the border of LongRoPE', () => {
  const border = 32;
  const texts = [29, 12, 40, border, border + 1].map((length, row) =>
    Array.from({ length }, (_, at) => (7 * at + 11 * row + at * at) % 676),
  );

  it.each([
    ['imported', async () => await importModel(path.join(families, 'model.gguf'))],
    ["of onnxruntime-genai's builder", () => Promise.resolve(path.join(families, 'genai'))],
  ])('goes on as if it had been read as a whole: %s', async (_, folder) => {
    const decoder = readDecoder(await readModel(path.join(await folder(), 'model.onnx')));
    expect(decoder.rotaryBorder).toBe(border);
    expect(decoder.contextLength).toBe(128);
    const generator = await Generator.open(decoder, { threads: 1 });
    const settings = { maxNewTokens: 12, stopTokens: none };
    const alone = await generator.generate(texts, { ...settings, batchRows: 1 });
    expect(await generator.generate(texts, { ...settings, batchRows: 5 })).toEqual(alone);
    expect(await generator.generate(texts, { ...settings, batchRows: 1, promptChunk: 5 })).toEqual(alone);
    for (const [row, prompt] of texts.entries()) {
      const ids = [...prompt];
      for (const token of alone[row]!.tokens) {
        const [next] = await generator.generate([ids], { ...settings, maxNewTokens: 1 });
        expect(next!.tokens).toEqual([token]);
        ids.push(token);
      }
    }
    await generator.release();
  });
});

describe('models that cannot be padded', () => {
  it.each(genaiStyles.filter(({ mlp }) => mlp !== 'quantised-experts'))(
    'answer prompts of any length together: genai $name',
    async (style) => {
      const decoder = readDecoder(buildGenaiDecoder(style));
      const generator = await Generator.open(decoder, { threads: 1 });
      const settings = { maxNewTokens: 12, stopTokens: none };
      const alone = await generator.generate(prompts, { ...settings, batchRows: 1 });
      expect(await generator.generate(prompts, { ...settings, batchRows: 6 })).toEqual(alone);
      expect(await generator.generate(prompts, { ...settings, batchRows: 1, promptChunk: 2 })).toEqual(alone);
      await generator.release();
    },
  );

  it.each(genaiStyles.filter(({ mlp }) => mlp !== 'quantised-experts'))(
    'read once what all prompts of a batch begin with, a template of any length: genai $name',
    async (style) => {
      const decoder = readDecoder(buildGenaiDecoder(style));
      const generator = await Generator.open(decoder, { threads: 1 });
      const read = () => generator.timing.promptTokens;
      const settings = { maxNewTokens: 12, stopTokens: none };
      const readsOn = readsRowsBesideCache(decoder.graph);
      const own = [
        [3, 1, 4, 1, 5, 9],
        [9, 2, 6, 5, 3, 5],
        [2, 7, 1, 8, 2, 8],
      ];
      for (const [template, times] of [
        [[12, 7, 5, 1, 6, 4, 8], 1],
        [[12, 7, 5, 1], readsOn ? 1 : 3],
      ] as const) {
        const alike = own.map((prompt) => [...template, ...prompt]);
        const alone = await generator.generate(alike, { ...settings, batchRows: 1 });
        const before = read();
        expect(await generator.generate(alike, { ...settings, batchRows: 3 })).toEqual(alone);
        // Where rows go on token by token, a long rest is read with its beginning.
        expect(read() - before).toBe(times * template.length + 3 * 6);
      }
      await generator.release();
    },
  );

  it.skipIf(!hasShared)(
    `answer as they do with a finite mask where theirs is infinite${sharedReason}`,
    async () => {
      const [finite, infinite] = await Promise.all(
        ['models/stories260K/stories260K.onnx', 'cases/infinite-mask/model.onnx'].map(async (file) => {
          const generator = await Generator.open(readDecoder(await readModel(sharedPath(file))));
          const results = await generator.generate(prompts, { maxNewTokens: 12, stopTokens: none });
          await generator.release();
          return results;
        }),
      );
      expect(infinite).toEqual(finite);
    },
  );
});

describe('a model whose table of positions has 64 rows', () => {
  it.each(['gpt2', 'opt'])('ends its texts there: %s', async (name) => {
    const decoder = readDecoder(buildDecoder(decoderStyles.find((style) => style.name === name)!));
    const generator = await Generator.open(decoder, { threads: 1 });
    const prompt = (length: number) => Array.from({ length }, (_, index) => index % 31);
    const settings = { maxNewTokens: 12, stopTokens: none };
    const [short, long] = await generator.generate([prompt(50), prompt(60)], settings);
    expect([short!.tokens.length, long!.tokens.length]).toEqual([12, 4]);
    await expect(generator.generate([prompt(65)], settings)).rejects.toThrow(
      'A prompt has 65 tokens, more than the 64 that the model can read.',
    );
    await generator.release();
  });
});

it('a model that gives no numbers is told so', async () => {
  const model = buildDecoder(decoderStyles[0]!);
  const gain = model.graph.initializer.find(({ dims }) => dims.length === 1)!;
  const broken = floatTensor(gain.name, tensorDims(gain), new Float32Array(Number(gain.dims[0])).fill(NaN));
  model.graph.initializer[model.graph.initializer.indexOf(gain)] = broken;
  const generator = await Generator.open(readDecoder(model));
  await expect(generator.generate(prompts, { maxNewTokens: 2, stopTokens: none })).rejects.toThrow(
    /^The model's own logits are not numbers \(NaN\)/,
  );
  await generator.release();
});

describe('generation', () => {
  let generator: Generator;
  let whole: number[][];
  const settings: GenerationSettings = { maxNewTokens: 12, stopTokens: none };
  beforeAll(async () => {
    generator = await Generator.open(readDecoder(buildDecoder(decoderStyles[0]!)), { threads: 1 });
    whole = (await generator.generate(prompts, settings)).map(({ tokens }) => tokens);
  });
  afterAll(async () => await generator.release());

  it('ends a prompt at a stop token, which it keeps, and lets the others go on', async () => {
    const stop = whole[0]![4]!;
    const results = await generator.generate(prompts, { ...settings, stopTokens: new Set([stop]) });
    results.forEach(({ tokens, finishedBy }, index) => {
      const at = whole[index]!.indexOf(stop);
      expect(tokens).toEqual(at < 0 ? whole[index] : whole[index]!.slice(0, at + 1));
      expect(finishedBy).toBe(at < 0 ? 'length' : 'stop');
    });
    expect(new Set(results.map(({ finishedBy }) => finishedBy)).size).toBe(2);
  });

  it('tells each token as it comes, stop tokens excepted, and how many prompts are answered', async () => {
    const stop = whole[0]![4]!;
    const told: number[][] = prompts.map(() => []);
    const progress: number[] = [];
    const results = await generator.generate(prompts, {
      ...settings,
      stopTokens: new Set([stop]),
      batchRows: 4,
      onToken: (prompt, token) => told[prompt]!.push(token),
      onProgress: (answered) => progress.push(answered),
    });
    expect(told).toEqual(results.map(({ tokens }) => tokens.filter((token) => token !== stop)));
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect([progress[0], progress.at(-1)]).toEqual([0, prompts.length]);
    expect(progress.every(Number.isInteger)).toBe(false);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    let tokens = 0;
    const stopped = generator.generate(prompts, {
      ...settings,
      signal: controller.signal,
      onToken: () => void ((tokens += 1) === 9 && controller.abort()),
    });
    await expect(stopped).rejects.toThrow(CancelledError);
    expect(tokens).toBeLessThan(2 * prompts.length + 1);
  });

  it('draws the same tokens for the same seed, in whatever batches; other ones for another seed', async () => {
    const draw = async (seed: number, batchRows: number) => {
      const sampling = { temperature: 1.5, topP: 0.95, seed };
      const results = await generator.generate(prompts, { ...settings, batchRows, sampling });
      return results.map(({ tokens }) => tokens);
    };
    const first = await draw(7, 6);
    expect(await draw(7, 1)).toEqual(first);
    expect(await draw(8, 6)).not.toEqual(first);
  });

  it('draws the most likely token at a temperature near 0', async () => {
    const sampling = { temperature: 1e-4, seed: 1 };
    const results = await generator.generate(prompts, { ...settings, sampling });
    expect(results.map(({ tokens }) => tokens)).toEqual(whole);
  });
});
