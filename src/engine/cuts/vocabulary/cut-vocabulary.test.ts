/** A model without the tokens of other scripts: the same logits and the same texts, in every layout. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { quantiseEmbedding } from '../../../../test/graphs/quantise-embedding.js';
import { QUANTISATIONS, quantiseProducts } from '../../../../test/graphs/quantise-products.js';
import { byteLevelTokenizer } from '../../../../test/models/small-tokenizers.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { temporaryFolder, temporaryFolderWith } from '../../../../test/support/temporary-folder.js';
import { loadTokenizer } from '../../data/tokenizer.js';
import type { Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { Generator } from '../../generate/generator.js';
import { openModel } from '../../jobs/parts/source-model.js';
import { readConfigFile } from '../../onnx/file/config-file.js';
import { readModel, writeModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { emptyCache, tokenFeeds } from '../../runtime/decoder-feeds.js';
import { openSession } from '../../runtime/session.js';
import { logitsValues } from '../../runtime/tensors.js';
import { cutVocabulary, vocabularyProblem, vocabularySavings } from './cut-vocabulary.js';
import {
  planVocabulary,
  renumbered,
  renumbering,
  type VocabularyPlan,
  type VocabularyRequest,
} from './plan-vocabulary.js';

const ROWS = 384;
const tokenizer = byteLevelTokenizer() as Record<string, unknown> & {
  model: { vocab: object; merges: string[] };
};

async function folderOf(model: OnnxModel, files: Record<string, unknown> = {}): Promise<string> {
  const folder = temporaryFolderWith({ 'tokenizer.json': tokenizer, ...files });
  await writeModel(model, path.join(folder, 'model.onnx'));
  return folder;
}

async function cutFolder(
  folder: string,
  request: Pick<VocabularyRequest, 'keep' | 'limit'> = { keep: 'latin' },
) {
  const { source, decoder } = await openModel(folder);
  const plan = await planVocabulary({ source, decoder, ...request });
  const output = path.join(temporaryFolder(), 'cut');
  const done = await cutVocabulary({ source, decoder, plan, output });
  return {
    ...done,
    output,
    plan,
    before: decoder,
    after: readDecoder(await readModel(path.join(output, source.modelFile))),
  };
}

/** The logits of each position of a text, of the tokens that are kept. */
async function logitsOf(
  decoder: Decoder,
  ids: readonly number[],
  kept?: readonly number[],
): Promise<number[][]> {
  const session = await openSession(decoder.model, { threads: 1 });
  try {
    const feeds = {
      ...tokenFeeds(decoder, { rows: 1, positions: ids.length, ids }),
      ...emptyCache(decoder, 1),
    };
    const known = new Set(session.inputs.map(({ name }) => name));
    const results = await session.run(
      Object.fromEntries(Object.entries(feeds).filter(([name]) => known.has(name))),
      [decoder.logits],
    );
    const all = Array.from(logitsValues(results[decoder.logits]!));
    const width = decoder.vocabularySize;
    return ids.map((_, at) => {
      const own = all.slice(at * width, (at + 1) * width);
      return kept ? kept.map((id) => own[id]!) : own;
    });
  } finally {
    await session.release();
  }
}

/** Those tokens of a text that are kept, before and after. */
async function textIds(folder: string, { kept, rows }: VocabularyPlan): Promise<[number[], number[]]> {
  const known = new Set(kept);
  const before = (await loadTokenizer(folder))
    .encode('Ann sells 26 nuts. How many nuts are there in the end?')
    .filter((id) => known.has(id));
  expect(before.length).toBeGreaterThan(8);
  return [before, renumbered(before, renumbering({ kept, rows }))!];
}

const limited = { keep: 'latin', limit: 416 };

/** Styles that end in different ways. */
const ENDS = new Set(['llama', 'gpt2', 'gemma2', 'granite', 'phi', 'bloom']);

const built: [string, () => OnnxModel][] = [
  ...decoderStyles
    .filter(({ name }) => ENDS.has(name))
    .map((style): [string, () => OnnxModel] => [
      style.name,
      () => buildDecoder(style, { vocabulary: ROWS, layers: 1 }),
    ]),
  ...QUANTISATIONS.map((kind): [string, () => OnnxModel] => [
    kind,
    () =>
      quantiseProducts(
        buildDecoder(decoderStyles[0]!, {
          vocabulary: ROWS,
          layers: 1,
          hidden: 32,
          opset: kind.endsWith('blocks') ? 21 : 14,
        }),
        kind,
      ),
  ]),
  [
    'embedding of 8 bits',
    () => quantiseEmbedding(buildDecoder(decoderStyles[0]!, { vocabulary: ROWS, layers: 1 })),
  ],
];

describe('the logits of kept tokens are the original’s to the bit', () => {
  it.each(built)('%s', async (_, build) => {
    const folder = await folderOf(build());
    const { plan, before, after } = await cutFolder(folder);
    const [old, cut] = await textIds(folder, plan);
    expect(plan.kept.length).toBeLessThan(ROWS);
    expect(await logitsOf(after, cut)).toEqual(await logitsOf(before, old, plan.kept));
  });

  it.skipIf(!hasShared).each(['fp32-cpu', 'int4-cpu'])(
    `%s of onnxruntime-genai 0.18${sharedReason}`,
    async (name) => {
      const folder = sharedPath('models', 'genai-0.18', name);
      const { plan, before, after, output } = await cutFolder(folder, limited);
      const [old, cut] = await textIds(folder, plan);
      expect(after).toMatchObject({ vocabularySize: 416, embeddingRows: 416 });
      expect(readConfigFile(path.join(output, 'genai_config.json'))).toMatchObject({
        model: { vocab_size: 416 },
      });
      expect(await logitsOf(after, cut)).toEqual(await logitsOf(before, old, plan.kept));
    },
  );
});

describe('a cut model', () => {
  it('writes the same text as the original', async () => {
    const { source, decoder } = await openModel(sampleFolder);
    const full = await loadTokenizer(sampleFolder);
    const ids = full.encode('<|bos|><|user|>Cleo has 14 apples. Cleo buys 17 more.<|assistant|>');
    const stop = new Set(full.eosTokenIds);
    const tokens = await answer(decoder, ids, stop);
    const small = await planVocabulary({ source, decoder, ...limited });
    const plan = {
      ...small,
      kept: [...new Set([...small.kept, ...ids, ...tokens])].toSorted((a, b) => a - b),
    };
    const output = path.join(temporaryFolder(), 'cut');
    const done = await cutVocabulary({ source, decoder, plan, output });
    const cut = await openModel(output);
    const own = await loadTokenizer(output);
    const ownStop = new Set(own.eosTokenIds);
    const text = own.decode(await answer(cut.decoder, renumbered(ids, renumbering(plan))!, ownStop));
    expect(ownStop.size).toBe(stop.size);
    expect(text).toBe(full.decode(tokens));
    expect(done.bytesAfter / done.bytesBefore).toBeCloseTo(plan.kept.length / 676);
    expect(done.bytesBefore).toBe(vocabularySavings(decoder, plan).bytesBefore);
  });

  it('has the new ids and sizes in every file, and no file with the old vocabulary', async () => {
    const model = buildDecoder(decoderStyles[0]!, { vocabulary: ROWS, layers: 1 });
    const { plan: without } = await cutFolder(await folderOf(model));
    const [dropped, named] = Array.from({ length: 345 }, (_, id) => id).filter(
      (id) => id > 300 && !without.kept.includes(id),
    );
    const folder = await folderOf(model, {
      'config.json': {
        vocab_size: ROWS,
        eos_token_id: [1, named],
        pad_token_id: -1,
        text_config: { vocab_size: 400, bos_token_id: 0 },
        vision_config: { vocab_size: 77 },
      },
      'generation_config.json': {
        eos_token_id: named,
        suppress_tokens: [2, dropped],
        bad_words_ids: [[2], [2, dropped]],
        forced_decoder_ids: [[1, named]],
      },
      'tokenizer_config.json': { added_tokens_decoder: { 2: { content: '<|pad|>' } }, eos_token: '<|eos|>' },
      'tokenizer.model': 'SentencePiece',
      'vocab.json': tokenizer.model.vocab,
      'merges.txt': ['#version: 0.2', ...tokenizer.model.merges].join('\n'),
    });
    const { plan, output, leftOut } = await cutFolder(folder);
    const newId = renumbering(plan);
    const read = (name: string) => readConfigFile(path.join(output, name));
    const size = plan.kept.length;
    expect(newId(named!)).toBeLessThan(named!);
    expect(newId(dropped!)).toBeUndefined();
    expect(read('config.json')).toMatchObject({
      vocab_size: size,
      eos_token_id: [1, newId(named!)],
      pad_token_id: -1,
      text_config: { vocab_size: size, bos_token_id: 0 },
      vision_config: { vocab_size: 77 },
    });
    expect(read('generation_config.json')).toMatchObject({
      eos_token_id: newId(named!),
      suppress_tokens: [2],
      bad_words_ids: [[2]],
      forced_decoder_ids: [[1, newId(named!)]],
    });
    expect(leftOut).toEqual(['tokenizer.model']);
    const { model: own } = read('tokenizer.json') as { model: { vocab: object; merges: string[] } };
    expect(read('vocab.json')).toEqual(own.vocab);
    expect(readFileSync(path.join(output, 'merges.txt'), 'utf8').split('\n').slice(1)).toEqual(own.merges);
  });

  it('is the same, to the bit, each time', async () => {
    const folder = await folderOf(buildDecoder(decoderStyles[0]!, { vocabulary: ROWS, layers: 1 }));
    const [one, other] = [await cutFolder(folder), await cutFolder(folder)];
    for (const name of ['model.onnx', 'tokenizer.json']) {
      expect(readFileSync(path.join(one.output, name))).toEqual(readFileSync(path.join(other.output, name)));
    }
  });
});

it('a graph that reads token ids in another way is refused in one sentence', async () => {
  const model = buildDecoder(decoderStyles[0]!, { vocabulary: ROWS, layers: 1 });
  const { graph, inputs } = readDecoder(model);
  const [isPad] = graph.addNode('Equal', [inputs.tokens, inputs.tokens], {}, { outputs: ['is_padding'] });
  graph.proto.output.push(makeValueInfo(isPad!, DataType.BOOL, ['batch', 'positions']));
  expect(vocabularyProblem(readDecoder(model))).toMatch(
    /^The vocabulary of this model cannot be cut: the Equal node "\S+" reads the token ids in another way than as rows of a table\.$/,
  );
});

async function answer(
  decoder: Decoder,
  ids: readonly number[],
  stopTokens: ReadonlySet<number>,
): Promise<number[]> {
  const generator = await Generator.open(decoder, { threads: 1 });
  try {
    const [text] = await generator.generate([ids], { maxNewTokens: 24, stopTokens });
    return text!.tokens;
  } finally {
    await generator.release();
  }
}
