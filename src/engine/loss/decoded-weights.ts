/**
 * Weights of products in the form in which these take them. What a file holds in a few bits, or in 16, is made floats once
 * for each segment, and then fed like weights that are floats in the file: made anew in every run, it is a tenth and more
 * of a gradient step.
 */
import { create } from '@bufbuild/protobuf';
import { DataFlow } from '../decoder/read/data-flow.js';
import { copyModel, type OnnxModel } from '../onnx/file/model-file.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { ValueInfoProtoSchema } from '../onnx/file/onnx_pb.js';
import { valuesBefore } from '../onnx/graph/walk.js';
import { feedableWeights } from '../runtime/fed-weights.js';
import type { Feeds } from '../runtime/session.js';

/** Operators that multiply matrices of floats. */
export const FLOAT_PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'FusedMatMul']);

/** Operators that leave elements as they are: onnxruntime's products do without them, or they cost little. */
const ARRANGING = new Set(['Identity', 'Reshape', 'Squeeze', 'Transpose', 'Unsqueeze']);

/** @returns a graph without inputs that gives the decoded weights; undefined where there are none */
export function decodingGraph(model: OnnxModel): OnnxModel | undefined {
  const values = decodedWeights(model);
  if (values.length === 0) return undefined;
  const decoding = copyModel(model);
  const graph = new Graph(decoding.graph);
  graph.removeInputs(new Set(graph.inputs.map(({ name }) => name)));
  // onnxruntime infers the types of outputs that declare none.
  decoding.graph.output = values.map((name) => create(ValueInfoProtoSchema, { name }));
  graph.removeUnused();
  return decoding;
}

/** Values that products take, that are computed from weights, and that no run changes. */
function decodedWeights(model: OnnxModel): string[] {
  const graph = new Graph(model.graph);
  const weights = feedableWeights(model.graph);
  const flow = new DataFlow(graph);
  const values = graph.nodes
    .filter(({ opType }) => FLOAT_PRODUCTS.has(opType))
    .flatMap(({ input }) => input.slice(0, 2))
    .filter((value) => flow.isConstant(value))
    .map((value) => behindArrangement(graph, value));
  return [...new Set(values)].filter(
    (value) =>
      graph.producer(value)?.output.length === 1 &&
      [...valuesBefore(graph, [value])].some((source) => weights.has(source)),
  );
}

function behindArrangement(graph: Graph, value: string): string {
  let name = value;
  for (let node = graph.producer(name); node && ARRANGING.has(node.opType); node = graph.producer(name))
    name = node.input[0]!;
  return name;
}

/** Makes decoded weights inputs of a graph that computes them. @param decoded by their names; others than float32 stay */
export function takeDecoded(model: OnnxModel, decoded: Feeds): void {
  const graph = new Graph(model.graph);
  for (const [name, { dims, type }] of Object.entries(decoded)) {
    const node = graph.producer(name);
    if (!node || type !== 'float32') continue;
    graph.removeNodes(new Set([node]));
    graph.addInput(makeValueInfo(name, DataType.FLOAT, dims));
  }
  graph.removeUnused();
}
