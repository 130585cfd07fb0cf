import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { quantiseProducts, type Quantisation } from '../../../test/graphs/quantise-products.js';
import { unpackProducts } from '../autodiff/lower/unpacked-products.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { Graph } from '../onnx/graph/graph.js';
import { copyModel, type OnnxModel } from '../onnx/file/model-file.js';
import { emptyCache, tokenFeeds } from '../runtime/decoder-feeds.js';
import { openSession, type Feeds } from '../runtime/session.js';
import { float32Values } from '../runtime/tensors.js';
import { decodingGraph, takeDecoded } from './decoded-weights.js';

const quantisations: { quantisation: Quantisation; decoder: string }[] = [
  { quantisation: 'MatMulNBits 4 with zero points', decoder: 'GatherBlockQuantized' },
  { quantisation: 'MatMulNBits 8', decoder: 'GatherBlockQuantized' },
  { quantisation: 'DequantizeLinear transposed', decoder: 'DequantizeLinear' },
];

async function run(model: OnnxModel, feeds: Feeds) {
  const session = await openSession(model, { threads: 1, optimisation: 'disabled' });
  try {
    const inputs = new Set(session.inputs.map(({ name }) => name));
    return await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))));
  } finally {
    await session.release();
  }
}

describe('weights of products, decoded once and then fed', () => {
  it.each(quantisations)('leave nothing to decode, and the same logits: $quantisation', async (each) => {
    const plain = buildDecoder(decoderStyles[0]!, { hidden: 32, opset: 14 });
    const model = quantiseProducts(plain, each.quantisation);
    unpackProducts(new Graph(model.graph));
    const decodes = (graph: OnnxModel) =>
      graph.graph.node.filter(({ opType }) => opType === each.decoder).length;
    expect(decodes(model)).toBeGreaterThan(0);

    const decoded = await run(decodingGraph(model)!, {});
    const fed = copyModel(model);
    takeDecoded(fed, decoded);
    expect(Object.keys(decoded)).toHaveLength(decodes(model));
    expect(decodes(fed)).toBe(0);

    const decoder = readDecoder(plain);
    const ids = [1, 2, 3, 4];
    const feeds = {
      ...tokenFeeds(decoder, { rows: 1, positions: ids.length, ids }),
      ...emptyCache(decoder, 1),
    };
    const logits = async (graph: OnnxModel, all: Feeds) =>
      float32Values((await run(graph, all))[decoder.logits]!);
    expect(await logits(fed, { ...feeds, ...decoded })).toEqual(await logits(model, feeds));
  });

  it('are none where the file has floats', () => {
    expect(decodingGraph(buildDecoder(decoderStyles[0]!, { hidden: 32 }))).toBeUndefined();
  });
});
