/** For tests: a node with random inputs, by which one gradient rule is checked. */
import { create } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { float, type AttributeValue } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import type { OnnxModel } from '../../onnx/file/model-file.js';
import { GraphProtoSchema, ModelProtoSchema } from '../../onnx/file/onnx_pb.js';
import { elementCount, floatTensor, int64Tensor, tensorFromBytes } from '../../onnx/graph/tensor.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { float32Tensor, float64Tensor, int64Tensor as int64Feed } from '../../runtime/tensors.js';
import type { Feeds } from '../../runtime/session.js';
import { expectGradients, randomNumbers } from './finite-differences.js';

export type CaseInput =
  /** A leaf; `values` turns a number between -1 and 1 into an element. */
  | { kind: 'leaf'; dims: readonly number[]; values?: (random: number) => number }
  | { kind: 'constant'; dims: readonly number[]; values: readonly number[] }
  | { kind: 'integers'; dims: readonly number[]; values: readonly number[] }
  /** Integers that are fed to the graph, so that no rule can see them before the run. */
  | { kind: 'fed integers'; dims: readonly number[]; values: readonly number[] }
  | { kind: 'condition'; dims: readonly number[] }
  /** Random bytes. */
  | { kind: 'bytes'; dims: readonly number[] }
  | { kind: 'missing' };

export interface RuleCase {
  inputs: readonly CaseInput[];
  attributes?: Record<string, AttributeValue>;
  outputs?: number;
  /** Which outputs the loss depends on; default: all. */
  weighted?: readonly number[];
  /** Default: 13. */
  opset?: number;
  /** For operators whose kernels know no float64. */
  single?: boolean;
}

export type RuleCases = Record<string, fc.Arbitrary<RuleCase>>;

export const leaf = (dims: readonly number[], values?: (random: number) => number): CaseInput =>
  values ? { kind: 'leaf', dims, values } : { kind: 'leaf', dims };
export const integers = (...values: number[]): CaseInput => ({
  kind: 'integers',
  dims: [values.length],
  values,
});
export const missing: CaseInput = { kind: 'missing' };

/** A case of leaves of the given shapes. */
export const leavesOf = (
  shapes: readonly (readonly number[])[],
  options: Partial<RuleCase> = {},
  values?: (random: number) => number,
): RuleCase => Object.assign({ inputs: shapes.map((dims) => leaf(dims, values)) }, options);

/** Elements at least 0.2 from zero, for operators with a kink or a pole there. */
export const awayFromZero = (random: number): number => random + Math.sign(random) * 0.2;
export const positive = (random: number): number => 1.2 + random;

const dim = fc.integer({ min: 1, max: 4 });

export const shape = (minRank = 0, maxRank = 4): fc.Arbitrary<number[]> =>
  fc.array(dim, { minLength: minRank, maxLength: maxRank });

/** Shapes that broadcast to one shape; at least one of them has it. */
export const broadcastShapes = (count: number): fc.Arbitrary<number[][]> =>
  shape(0, 4).chain((full) => {
    const one = fc
      .tuple(fc.integer({ min: 0, max: full.length }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
      .map(([from, ones]) => full.map((size, axis) => (ones[axis] ? 1 : size)).slice(from));
    return fc
      .tuple(fc.array(one, { minLength: count, maxLength: count }), fc.nat(count - 1))
      .map(([shapes, whole]) => shapes.with(whole, full));
  });

/** A shape, and one of its axes, written as a positive or a negative number. */
export const shapeAndAxis = (minRank = 1, maxRank = 4): fc.Arbitrary<{ dims: number[]; axis: number }> =>
  shape(minRank, maxRank).chain((dims) =>
    fc.integer({ min: -dims.length, max: dims.length - 1 }).map((axis) => ({ dims, axis })),
  );

/** Checks the gradients of one node, by all its leaves, of a loss that weights each element of each output. */
export async function expectRuleGradients(
  operator: string,
  domain: string,
  test: RuleCase,
  seed: number,
  forgetSizes: boolean,
): Promise<void> {
  const opset = test.opset ?? 13;
  const proto = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [
      { domain: '', version: BigInt(opset) },
      { domain: 'com.microsoft', version: 1n },
    ],
    graph: create(GraphProtoSchema, { name: 'test' }),
  });
  const model: OnnxModel = { proto, graph: proto.graph!, folder: undefined };
  const graph = new Graph(model.graph);
  const type = test.single ? DataType.FLOAT : DataType.DOUBLE;
  const feeds: Feeds = {};
  const inputs = test.inputs.map((input, index) => addInput(graph, feeds, input, type, seed * 10 + index));
  const outputs = graph.addNode(operator, inputs, test.attributes ?? {}, {
    domain,
    outputs: test.outputs ?? 1,
  });
  const [loss] = graph.addNode(
    'Sum',
    (test.weighted ?? [...outputs.keys()]).map((index) => weightedSum(graph, outputs[index]!, type)),
  );
  model.graph.output = [makeValueInfo(loss!, type, [])];
  await expectGradients({
    model,
    loss: loss!,
    leaves: Object.keys(feeds).filter((name) => name.startsWith('leaf')),
    feeds,
    forgetSizes,
    ...(test.single ? { step: 1e-2, tolerance: 1e-3 } : { step: 1e-5, tolerance: 1e-6 }),
  });
}

function addInput(graph: Graph, feeds: Feeds, input: CaseInput, type: DataType, seed: number): string {
  if (input.kind === 'missing') return '';
  const { kind, dims } = input;
  const count = elementCount(dims);
  const name = graph.freshName(kind);
  switch (kind) {
    case 'leaf': {
      const values = randomNumbers(seed, count).map(input.values ?? ((random) => random));
      feeds[name] = type === DataType.DOUBLE ? float64Tensor(values, dims) : float32Tensor(values, dims);
      return graph.addInput(makeValueInfo(name, type, dims));
    }
    case 'constant':
      return graph.addInitializer(floatTensor(name, dims, input.values, type));
    case 'integers':
      return graph.addInitializer(int64Tensor(name, dims, input.values));
    case 'fed integers':
      feeds[name] = int64Feed(input.values, dims);
      return graph.addInput(makeValueInfo(name, DataType.INT64, dims));
    case 'condition': {
      const bytes = Uint8Array.from(randomNumbers(seed, count), (random) => (random > 0 ? 1 : 0));
      return graph.addInitializer(tensorFromBytes(name, DataType.BOOL, dims, bytes));
    }
    case 'bytes': {
      const bytes = Uint8Array.from(randomNumbers(seed, count), (random) => (random + 1) * 127.9);
      return graph.addInitializer(tensorFromBytes(name, DataType.UINT8, dims, bytes));
    }
  }
}

/** sum(w * y) with weights w = cos(0.7 i + 1) by the element's place i. */
function weightedSum(graph: Graph, output: string, type: DataType): string {
  const scalar = (value: number) =>
    graph.addInitializer(floatTensor(graph.freshName('weight.constant'), [], [value], type));
  const op = (opType: string, inputs: string[], attributes: Record<string, AttributeValue> = {}) =>
    graph.addNode(opType, inputs, attributes)[0]!;
  const integer = (value: number) =>
    graph.addInitializer(int64Tensor(graph.freshName('weight.constant'), [], [value]));
  const places = op('Cast', [op('Range', [integer(0), op('Size', [output]), integer(1)])], { to: type });
  const angles = op('Add', [op('Mul', [places, scalar(0.7)]), scalar(1)]);
  const weights = op('Reshape', [op('Cos', [angles]), op('Shape', [output])]);
  return op('ReduceSum', [op('Mul', [output, weights])], { keepdims: 0 });
}

export { fc, float };
