import { describe, expect, it } from 'vitest';
import { float } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { copyModel, opsetVersion, readModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { openSession, type Feeds } from '../../runtime/session.js';
import { float32Tensor, int32Tensor, logitsValues } from '../../runtime/tensors.js';
import { emptyCache, tokenFeeds } from '../../runtime/decoder-feeds.js';
import { randomNumbers } from '../../autodiff/testing/finite-differences.js';
import { GraphWriter } from '../../../../test/graphs/graph-writer.js';
import { hasShared, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { joinNorms } from '../edit/join-norms.js';
import { readDecoder } from './read-decoder.js';
import { splitNorms, type FusedNorm } from './split-norms.js';

const HIDDEN = 8;

function histogram(model: OnnxModel): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { opType } of model.graph.node) counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
}

async function outputsOf(model: OnnxModel, feeds: Feeds): Promise<Record<string, number[]>> {
  const session = await openSession(model, { threads: 1, optimisation: 'disabled' });
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, Array.from(logitsValues(tensor))]),
    );
  } finally {
    await session.release();
  }
}

function largestDifference(a: Record<string, number[]>, b: Record<string, number[]>): number {
  expect(Object.keys(b).toSorted()).toEqual(Object.keys(a).toSorted());
  return Math.max(
    ...Object.keys(a).flatMap((name) => a[name]!.map((value, index) => Math.abs(value - b[name]![index]!))),
  );
}

/** A graph of one fused node between inputs and all of its results. */
function fusedNode(opType: FusedNorm, inputs: string[], outputs: string[], writer: GraphWriter): OnnxModel {
  const made = writer.graph.addNode(
    opType,
    inputs,
    { epsilon: float(1e-3) },
    { domain: 'com.microsoft', outputs, label: 'fused' },
  );
  for (const name of made) {
    if (name !== '') writer.output(name, DataType.FLOAT, ['rows', 'positions', HIDDEN]);
  }
  const model = writer.model('test');
  model.proto.opsetImport.push({ ...model.proto.opsetImport[0]!, domain: 'com.microsoft', version: 1n });
  return model;
}

function splitCopy(model: OnnxModel): { split: OnnxModel; kinds: Set<FusedNorm> } {
  const split = copyModel(model);
  return { split, kinds: splitNorms(new Graph(split.graph)) };
}

describe('splitNorms', () => {
  const skips = [
    ['SkipSimplifiedLayerNormalization', false],
    ['SkipSimplifiedLayerNormalization', true],
    ['SkipLayerNormalization', false],
    ['SkipLayerNormalization', true],
  ] as const;

  it.each(skips)('computes the same as %s (bias: %s), and joinNorms undoes it', async (opType, bias) => {
    const writer = new GraphWriter(14, 3);
    const dims = ['rows', 'positions', HIDDEN];
    const inputs = ['input', 'skip'].map((name) => writer.input(name, DataType.FLOAT, dims));
    inputs.push(writer.weight('gamma', [HIDDEN]));
    if (opType === 'SkipLayerNormalization') inputs.push(writer.weight('beta', [HIDDEN]));
    if (bias) inputs.push(writer.weight('bias', [HIDDEN]));
    const model = fusedNode(opType, inputs, ['output', '', '', 'sum'], writer);
    const feeds = Object.fromEntries(
      ['input', 'skip'].map((name, index) => [
        name,
        float32Tensor(randomNumbers(index, 2 * 3 * HIDDEN), [2, 3, HIDDEN]),
      ]),
    );

    const { split, kinds } = splitCopy(model);
    expect(kinds).toEqual(new Set([opType]));
    expect(histogram(split)).toEqual({
      Add: bias ? 2 : 1,
      [opType.replace('Skip', '')]: 1,
    });
    const expected = await outputsOf(model, feeds);
    expect(largestDifference(expected, await outputsOf(split, feeds))).toBeLessThan(1e-5);
    const graph = new Graph(split.graph);
    joinNorms(graph, kinds);
    expect(split.graph.node).toHaveLength(1);
    expect(largestDifference(expected, await outputsOf(split, feeds))).toBeLessThan(1e-6);
  });

  it.each([true, false])(
    'computes the same as EmbedLayerNormalization (positions given: %s)',
    async (hasPositions) => {
      const writer = new GraphWriter(11, 3);
      const dims = ['rows', 'positions'];
      const ids = writer.input('ids', DataType.INT32, dims);
      const positions = hasPositions ? writer.input('positions', DataType.INT32, dims) : '';
      const tables = [writer.weight('words', [31, HIDDEN], 1), writer.weight('places', [16, HIDDEN], 1)];
      const parameters = [writer.weight('gamma', [HIDDEN]), writer.weight('beta', [HIDDEN])];
      const inputs = [ids, '', ...tables, '', ...parameters, '', ...(hasPositions ? [positions] : [])];
      const outputs = ['output', '', 'sum'];
      const model = fusedNode('EmbedLayerNormalization', inputs, outputs, writer);
      const feeds = {
        ids: int32Tensor([3, 1, 4, 1, 5, 9], [2, 3]),
        ...(hasPositions ? { positions: int32Tensor([0, 1, 2, 5, 6, 7], [2, 3]) } : {}),
      };

      const { split, kinds } = splitCopy(model);
      const expected = await outputsOf(model, feeds);
      expect(largestDifference(expected, await outputsOf(split, feeds))).toBeLessThan(1e-5);
      joinNorms(new Graph(split.graph), kinds);
      if (hasPositions)
        expect(split.graph.node.map((node) => node.opType)).toEqual([model.graph.node[0]!.opType]);
      expect(largestDifference(expected, await outputsOf(split, feeds))).toBeLessThan(1e-5);
    },
  );
});

describe.skipIf(!hasShared)(`models with fused norms${sharedReason}`, () => {
  const files = [
    'sample/onnx/genai-fp32.onnx',
    'sample/onnx/genai-fp16.onnx',
    'models/fixtures/ort-genai/tiny-random-gpt2-fp32/past.onnx',
    'models/fixtures/ort-genai/tiny-random-gpt2-fp16-cuda/past.onnx',
  ];

  it.each(files)('%s computes the same split and joined again', async (file) => {
    const model = await readModel(sharedPath(file));
    const before = histogram(model);
    const decoder = readDecoder(model);
    expect(histogram(model)).toEqual(before);
    const feeds = {
      ...tokenFeeds(decoder, { rows: 2, positions: 3, ids: [5, 8, 2, 9, 7, 1] }),
      ...emptyCache(decoder, 2),
    };
    const isHalf = file.includes('fp16');
    const expected = await outputsOf(model, feeds);
    expect(largestDifference(expected, await outputsOf(decoder.model, feeds))).toBeLessThan(
      isHalf ? 0.05 : 1e-4,
    );
    const joined = copyModel(decoder.model);
    joinNorms(new Graph(joined.graph), decoder.fusedNorms);
    expect(histogram(joined)).toEqual(before);
    expect(opsetVersion(joined, 'com.microsoft')).toBe(1);
    expect(largestDifference(expected, await outputsOf(joined, feeds))).toBeLessThan(1e-6);
  });
});
