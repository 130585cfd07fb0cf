import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { hasShared, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { float, type AttributeValue } from '../graph/attributes.js';
import { DataType } from '../graph/data-types.js';
import { Graph } from '../graph/graph.js';
import { opsetVersion, readModel, type OnnxModel } from '../file/model-file.js';
import { GraphProtoSchema, ModelProtoSchema } from '../file/onnx_pb.js';
import { floatTensor, int64Tensor } from '../graph/tensor.js';
import { declaredDims, makeValueInfo } from '../graph/value-info.js';
import { openSession, type Feeds } from '../../runtime/session.js';
import { float32Tensor, int64Tensor as int64Feed } from '../../runtime/tensors.js';
import { randomNumbers } from '../../autodiff/testing/finite-differences.js';
import { upgradeOpset } from './upgrade-opset.js';

interface OldNode {
  opset: number;
  operator: string;
  /** Shape of the first input. */
  dims: number[];
  attributes: Record<string, AttributeValue>;
  outputs?: number;
}

function modelOf({ opset, operator, dims, attributes, outputs }: OldNode): OnnxModel {
  const proto = create(ModelProtoSchema, {
    irVersion: 4n,
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: create(GraphProtoSchema, { name: 'test' }),
  });
  const graph = new Graph(proto.graph!);
  graph.addInput(makeValueInfo('x', DataType.FLOAT, dims));
  const inputs = ['x'];
  if (operator === 'Scatter') {
    graph.addInitializer(int64Tensor('indices', [1, 2], [1, 0]));
    graph.addInitializer(floatTensor('updates', [1, 2], [7, 8]));
    inputs.push('indices', 'updates');
  }
  const names = graph.addNode(operator, inputs, attributes, { outputs: outputs ?? 1 });
  proto.graph!.output = names.map((name) => makeValueInfo(name, DataType.FLOAT, []));
  for (const output of proto.graph!.output) output.type = undefined;
  return { proto, graph: proto.graph!, folder: undefined };
}

async function outputsOf(model: OnnxModel, feeds: Feeds): Promise<Map<string, number[]>> {
  const session = await openSession(model, { optimisation: 'disabled', threads: 1 });
  try {
    const results = Object.entries(await session.run(feeds));
    return new Map(
      results.map(([name, { data, dims }]) => [name, [...dims, ...Array.from(data as Float32Array, Number)]]),
    );
  } finally {
    await session.release();
  }
}

/** Every output's shape and values are the same; sums may be taken in another order. */
async function expectSameOutputs(model: OnnxModel, feeds: Feeds): Promise<void> {
  const [before, after] = [await outputsOf(model, feeds), await outputsOf(upgradeOpset(model), feeds)];
  expect([...after.keys()]).toEqual([...before.keys()]);
  for (const [name, values] of before) {
    const upgraded = after.get(name)!;
    expect(upgraded).toHaveLength(values.length);
    const deviation = Math.max(0, ...values.map((value, index) => Math.abs(value - upgraded[index]!)));
    expect(deviation, name).toBeLessThan(1e-5);
  }
}

describe('upgradeOpset', () => {
  it.each<OldNode>([
    { opset: 9, operator: 'Slice', dims: [3, 4], attributes: { starts: [1], ends: [-1], axes: [1] } },
    { opset: 9, operator: 'Slice', dims: [3, 4], attributes: { starts: [1, 0], ends: [2, 3] } },
    { opset: 9, operator: 'TopK', dims: [3, 4], attributes: { k: 2 }, outputs: 2 },
    { opset: 10, operator: 'Scatter', dims: [2, 2], attributes: {} },
    { opset: 10, operator: 'Clip', dims: [9], attributes: { max: float(0.3) } },
    { opset: 10, operator: 'Clip', dims: [9], attributes: { min: float(-0.2), max: float(0.3) } },
    { opset: 10, operator: 'Pad', dims: [2, 3], attributes: { pads: [0, 1, 1, 0], value: float(5) } },
    { opset: 10, operator: 'Pad', dims: [2, 3], attributes: { pads: [0, 1, 1, 0], mode: 'reflect' } },
    { opset: 10, operator: 'Dropout', dims: [2, 3], attributes: { ratio: float(0.3) } },
    { opset: 11, operator: 'Squeeze', dims: [1, 3, 1], attributes: { axes: [0] } },
    { opset: 11, operator: 'Squeeze', dims: [1, 3, 1], attributes: {} },
    { opset: 11, operator: 'Unsqueeze', dims: [3], attributes: { axes: [0, 2] } },
    { opset: 11, operator: 'ReduceSum', dims: [2, 3, 4], attributes: { axes: [1, -1], keepdims: 0 } },
    { opset: 11, operator: 'ReduceSum', dims: [2, 3, 4], attributes: {} },
    { opset: 11, operator: 'Split', dims: [2, 5], attributes: { axis: 1, split: [2, 3] }, outputs: 2 },
    { opset: 11, operator: 'Split', dims: [4, 5], attributes: {}, outputs: 2 },
    { opset: 11, operator: 'Softmax', dims: [2, 3, 4], attributes: {} },
    { opset: 11, operator: 'Softmax', dims: [2, 3, 4], attributes: { axis: -1 } },
    { opset: 12, operator: 'LogSoftmax', dims: [2, 3, 4], attributes: { axis: 2 } },
    { opset: 12, operator: 'LogSoftmax', dims: [2, 3, 4], attributes: { axis: -2 } },
    { opset: 7, operator: 'Hardmax', dims: [2, 3, 4], attributes: { axis: 0 } },
    { opset: 14, operator: 'Relu', dims: [3], attributes: {} },
  ])('$operator of opset $opset with $attributes computes the same', async (node) => {
    const model = modelOf(node);
    const count = node.dims.reduce((product, dim) => product * dim, 1);
    await expectSameOutputs(model, { x: float32Tensor(randomNumbers(1, count), node.dims) });
    expect(opsetVersion(upgradeOpset(model))).toBe(16);
  });

  it('leaves the original and later opsets alone', () => {
    const old = modelOf({ opset: 11, operator: 'Squeeze', dims: [1, 3], attributes: { axes: [0] } });
    upgradeOpset(old);
    expect(opsetVersion(old)).toBe(11);
    expect(old.graph.node[0]!.attribute).toHaveLength(1);
    const recent = modelOf({ opset: 18, operator: 'Relu', dims: [3], attributes: {} });
    expect(upgradeOpset(recent).proto).toEqual(recent.proto);
  });

  it('keeps the weights of old files constant, which list them as inputs', async () => {
    const model = modelOf({ opset: 9, operator: 'Relu', dims: [3], attributes: {} });
    const graph = new Graph(model.graph);
    model.proto.irVersion = 3n;
    graph.addInitializer(floatTensor('weight', [3], [1, 2, 3]));
    model.graph.input.push(makeValueInfo('weight', DataType.FLOAT, [3]));
    graph.addNode('Mul', ['x', 'weight'], {}, { outputs: ['scaled'] });
    model.graph.output[0]!.name = 'scaled';
    await expectSameOutputs(model, { x: float32Tensor([1, -2, 3], [3]) });
    expect(upgradeOpset(model).graph.input.map((input) => input.name)).toEqual(['x']);
  });

  it('refuses operator sets that are too old', () => {
    const model = modelOf({ opset: 6, operator: 'Relu', dims: [3], attributes: {} });
    expect(() => upgradeOpset(model)).toThrow(/operator set 6, and Hopscotch needs 7 or later/);
  });

  it.skipIf(!hasShared).each(['gpt2_past_one_layer.onnx', 'gpt2_past.onnx', 'gpt2_megatron.onnx'])(
    `%s computes the same${sharedReason}`,
    async (file) => {
      const model = await readModel(sharedPath('models', 'fixtures', 'ort-testdata', file));
      const [rows, past, positions] = [2, 3, file === 'gpt2_past_one_layer.onnx' ? 4 : 1];
      const sizes: Record<string, number> = {
        batch_size: rows,
        seq_len: file === 'gpt2_past.onnx' ? past : positions,
        past_seq_len: past,
      };
      const feeds: Feeds = {};
      for (const [index, input] of new Graph(model.graph).inputs.entries()) {
        const dims = declaredDims(input)!.map((dim) =>
          typeof dim === 'number' ? dim : (sizes[dim!] ?? positions),
        );
        const count = dims.reduce((product, dim) => product * dim, 1);
        const numbers = randomNumbers(index, count);
        feeds[input.name] = input.name.endsWith('ids')
          ? int64Feed(
              numbers.map((x) => Math.floor((x + 1) * 2)),
              dims,
            )
          : float32Tensor(numbers, dims);
      }
      await expectSameOutputs(model, feeds);
    },
  );
});
