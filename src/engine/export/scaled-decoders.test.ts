import { granularity as granularities } from '../../schema/settings.js';
/** Folded and explicit scales compute what the gated model computes, in every style of decoder and granularity. */
import type { BlockName } from '../../schema/blocks.js';
import type { Granularity } from '../../schema/settings.js';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { lossBatchOf, randomScales, skippedOfBothKinds } from '../../../test/support/random-scales.js';
import { sampleBatches, sampleDecoder } from '../../../test/support/sample.js';
import { openForwardModel, type LossModelOptions } from '../loss/forward-model.js';
import type { LossBatch } from '../loss/loss-batch.js';
import { type ScaleKey, type Scales } from '../decoder/scales.js';
import { blocksOf, type Decoder } from '../decoder/decoder.js';
import { deleteBlocks } from '../decoder/edit/delete-blocks.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { float, setAttribute } from '../onnx/graph/attributes.js';
import { floatTensor } from '../onnx/graph/tensor.js';
import { insertScales } from './explicit-scales.js';
import { applyWeightEdits, foldScales } from './fold-scales.js';

/** Other blocks than the ones of `skippedOfBothKinds`: the first steps, and a whole layer at the end. */
const skippedAtTheEnds: readonly BlockName[] = ['attention 0', 'attention 2', 'mlp 2'];

describe.each(decoderStyles)('a decoder in the style of $name', (style) => {
  it.each([
    { granularity: 'scalar', skipped: skippedOfBothKinds, cache: true },
    { granularity: 'channel', skipped: skippedAtTheEnds, cache: true },
    { granularity: 'channel+offset', skipped: skippedOfBothKinds, cache: false },
    { granularity: 'channel+offset', skipped: skippedAtTheEnds, cache: true },
    { granularity: 'channel+gain', skipped: skippedOfBothKinds, cache: false },
    { granularity: 'channel+gain+offset', skipped: skippedAtTheEnds, cache: true },
  ] as const)(
    'keeps the logits: $granularity scales without $skipped, cache: $cache',
    async ({ granularity, skipped, cache }) => {
      const decoder = withLargeEpsilons(readDecoder(buildDecoder(style, { cache })));
      const scales = randomScales(decoder, skipped, granularity);
      await expectSameLogits(decoder, skipped, granularity, scales, lossBatchOf(decoder));
    },
  );

  it('gains no node by folding but one Add for each gap that has an offset', () => {
    const decoder = readDecoder(buildDecoder(style));
    const nodesOf = (granularity: Granularity) => {
      const scales = randomScales(decoder, skippedAtTheEnds, granularity);
      return operators(applyWeightEdits(foldScales(decoder, skippedAtTheEnds, scales)));
    };
    const pruned = deleteBlocks(decoder, skippedAtTheEnds);
    // A gain of 1 + weight gets a constant factor, which runtimes compute when they load the model.
    const gains = style.resultNorm && style.embeddingScale ? blocksOf(pruned).map(() => 'Mul') : [];
    const deleted = [...operators(pruned), ...gains].toSorted();
    expect(nodesOf('channel')).toEqual(deleted);
    const gaps = style.residual === 'sequential' ? 2 : 1;
    expect(nodesOf('channel+offset')).toEqual(
      [...deleted, ...Array.from({ length: gaps }, () => 'Add')].toSorted(),
    );
  });
});

describe('the sample', () => {
  it.each(granularities.options)('keeps the logits: %s scales', async (granularity) => {
    const decoder = await sampleDecoder();
    const skipped: BlockName[] = ['attention 0', 'attention 1', 'attention 8', 'mlp 8', 'mlp 4'];
    const scales = randomScales(decoder, skipped, granularity);
    const [batch] = await sampleBatches(decoder, 'arithmetic', 400, 407);
    await expectSameLogits(decoder, skipped, granularity, scales, batch!);
  });
});

describe('foldScales', () => {
  it('copies a weight that two layers share, so that each gets its own scales', async () => {
    const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
    const [one, other] = [0, 4].map((step) => decoder.steps[step]!.blocks[0]!.lastProjection!);
    decoder.graph.setInput(other!.node, other!.node.input.indexOf(other!.weight), one!.weight);
    const shared = readDecoder(decoder.model);
    await expectSameLogits(shared, [], 'channel', randomScales(shared, [], 'channel'), lossBatchOf(shared));
  });

  it('refuses a residual scale that is not positive, and says what to do', () => {
    const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
    const scales = new Map<ScaleKey, Float32Array>([['residual mlp 1', Float32Array.of(-0.5)]]);
    expect(() => foldScales(decoder, [], scales)).toThrow(
      /residual scale of mlp 1 came out as -0.5.*explicit scales/,
    );
  });

  it('leaves the original as it was', () => {
    const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
    const before = snapshot(decoder);
    applyWeightEdits(
      foldScales(decoder, skippedOfBothKinds, randomScales(decoder, skippedOfBothKinds, 'channel+offset')),
    );
    expect(snapshot(decoder)).toEqual(before);
  });
});

async function expectSameLogits(
  decoder: Decoder,
  skipped: readonly BlockName[],
  granularity: Granularity,
  scales: Scales,
  batch: LossBatch,
): Promise<void> {
  const gated = { skipped, granularity };
  const [expected, unscaled] = await logits(decoder, batch, gated, [scales, new Map()]);
  expect(largestDifference(expected!, unscaled!), 'what the scales change').toBeGreaterThan(0.05);
  const folded = applyWeightEdits(foldScales(decoder, skipped, scales));
  const explicit = insertScales(decoder, skipped, scales, granularity);
  for (const [form, exported] of Object.entries({ folded, explicit })) {
    const [actual] = await logits(exported, batch);
    expect(largestDifference(actual!, expected!), form).toBeLessThan(1e-4);
  }
}

/** Logits that predict the response tokens, for each set of scales; by default those of the decoder as it is. */
async function logits(
  decoder: Decoder,
  batch: LossBatch,
  gated: LossModelOptions = { skipped: [], granularity: 'scalar' },
  scaleSets: readonly Scales[] = [new Map()],
): Promise<Float32Array[]> {
  const model = await openForwardModel(decoder, gated);
  const wanted = new Set(decoder.graph.proto.input.map(({ name }) => name));
  const feeds = Object.fromEntries(
    Object.entries(batch.feeds).filter(([name]) => name.startsWith('hopscotch.') || wanted.has(name)),
  );
  try {
    const results: Float32Array[] = [];
    for (const scales of scaleSets) results.push(await model.logits({ ...batch, feeds }, scales));
    return results;
  } finally {
    await model.release();
  }
}

/** So large that a norm with a wrong one shows: the usual ones of 1e-5 hide behind a stream of size 1. */
function withLargeEpsilons(decoder: Decoder): Decoder {
  const { graph } = decoder;
  const norms = [...blocksOf(decoder).flatMap(({ norm }) => norm ?? []), decoder.finalNorm];
  const name = graph.addInitializer(floatTensor('test.epsilon', [], [0.1]));
  for (const { epsilon } of norms) {
    if (epsilon.kind === 'attribute') setAttribute(epsilon.node, epsilon.attribute, float(0.1));
    else graph.setInput(epsilon.use.node, epsilon.use.index, name);
  }
  return readDecoder(decoder.model);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);
}

function operators(decoder: Decoder): string[] {
  return decoder.graph.proto.node.map((node) => node.opType).toSorted();
}

function snapshot(decoder: Decoder): unknown {
  const { node, initializer } = decoder.graph.proto;
  return {
    nodes: node.map(({ opType, input, output, attribute }) => [opType, [...input], [...output], attribute]),
    weights: initializer.map((tensor) => [tensor.name, Buffer.from(tensor.rawData).toString('hex')]),
  };
}
