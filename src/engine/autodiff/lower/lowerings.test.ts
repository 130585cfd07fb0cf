/** Every lowering computes what onnxruntime's own operator does, on random inputs. */
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { copyModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { GraphProtoSchema, ModelProtoSchema, ValueInfoProtoSchema } from '../../onnx/file/onnx_pb.js';
import { elementCount, floatTensor, tensorFromBytes } from '../../onnx/graph/tensor.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { probeTypes } from '../../runtime/probe-types.js';
import { openSession, type Feeds } from '../../runtime/session.js';
import { boolTensor, float32Tensor, float32Values, int32Tensor, int64Tensor } from '../../runtime/tensors.js';
import { randomNumbers } from '../testing/finite-differences.js';
import { loweringCases, type Input, type LoweringCase } from '../testing/lowering-cases.js';
import { lowerings, lowerOperators } from './index.js';

function buildModel(test: LoweringCase): { model: OnnxModel; feeds: Feeds } {
  const proto = create(ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [
      { domain: '', version: test.domain === '' ? 23n : 16n },
      { domain: 'com.microsoft', version: 1n },
    ],
    graph: create(GraphProtoSchema, { name: 'test' }),
  });
  const graph = new Graph(proto.graph!);
  const feeds: Feeds = {};
  const inputs = test.inputs.map((input, index) => addInput(graph, feeds, input, index));
  const wanted = test.outputs ?? [0];
  const count = Math.max(...wanted) + 1;
  // These have more outputs that must be there.
  const least = test.operator === 'GroupQueryAttention' ? 3 : 1;
  const outputs = Array.from({ length: Math.max(count, least) }, (_, index) => `y${index}`);
  const domain = test.domain ?? 'com.microsoft';
  graph.addNode(test.operator, inputs, test.attributes ?? {}, { domain, outputs, label: 'node' });
  proto.graph!.output = wanted.map((index) => create(ValueInfoProtoSchema, { name: `y${index}` }));
  return { model: { proto, graph: proto.graph!, folder: undefined }, feeds };
}

function addInput(graph: Graph, feeds: Feeds, input: Input, index: number): string {
  if (input === undefined) return '';
  const name = `input${index}`;
  if ('constant' in input) {
    const values = randomNumbers(index, elementCount(input.constant));
    return graph.addInitializer(floatTensor(name, input.constant, values));
  }
  if ('bytes' in input) {
    // Of 7 bits where signed: processors without VNNI add pairs of their products in 16 bits, and cut off what is larger.
    const toByte = input.signed ? (r: number) => r * 63 : (r: number) => (r + 1) * 127;
    const bytes = Uint8Array.from(randomNumbers(index, elementCount(input.bytes)), toByte);
    const type = input.signed ? DataType.INT8 : DataType.UINT8;
    return graph.addInitializer(tensorFromBytes(name, type, input.bytes, bytes));
  }
  if ('x' in input) {
    feeds[name] = float32Tensor(randomNumbers(index, elementCount(input.x)), input.x);
    return graph.addInput(makeValueInfo(name, DataType.FLOAT, input.x));
  }
  if ('int32' in input) {
    feeds[name] = int32Tensor(input.int32, input.dims);
    return graph.addInput(makeValueInfo(name, DataType.INT32, input.dims));
  }
  if ('bool' in input) {
    feeds[name] = boolTensor(input.bool.map(Boolean), input.dims);
    return graph.addInput(makeValueInfo(name, DataType.BOOL, input.dims));
  }
  feeds[name] = int64Tensor(input.int64, input.dims);
  return graph.addInput(makeValueInfo(name, DataType.INT64, input.dims));
}

async function outputsOf(model: OnnxModel, feeds: Feeds) {
  const session = await openSession(model, { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

describe('lowerings', () => {
  it.each(Object.entries(loweringCases))('%s', async (_, test) => {
    const { model, feeds } = buildModel(test);
    const lowered = copyModel(model);
    const graph = new Graph(lowered.graph);
    lowerOperators(graph, await probeTypes(model, [feeds]));
    const fused = graph.nodes.filter(
      (node) => node.domain === 'com.microsoft' || node.domain === test.domain,
    );
    expect(fused.filter((node) => node.opType === test.operator)).toEqual([]);
    const [expected, actual] = [await outputsOf(model, feeds), await outputsOf(lowered, feeds)];
    for (const [name, tensor] of Object.entries(expected)) {
      expect(actual[name]!.dims, name).toEqual(tensor.dims);
      const values = float32Values(actual[name]!);
      const size = Math.max(...float32Values(tensor).map(Math.abs));
      float32Values(tensor).forEach((value, index) =>
        expect(Math.abs(values[index]! - value) / size, `${name}[${index}]`).toBeLessThan(
          test.tolerance ?? 1e-5,
        ),
      );
    }
  });

  it('are each checked, here or in the models of quantised products', () => {
    const elsewhere = ['DequantizeLinear', 'DynamicQuantizeLinear', 'MatMulInteger', 'MatMulIntegerToFloat'];
    const names = new Set([...Object.values(loweringCases).map(({ operator }) => operator), ...elsewhere]);
    expect(new Set(lowerings.map(({ operator }) => operator))).toEqual(names);
  });
});
