/**
 * A segment's two graphs: the forward part, and the gradient. What the forward part's products with weights give can be
 * handed over, so that the gradient computes all but these again: they are most of the work, and a small part of the
 * activations.
 */
import type { Segment } from '../decoder/edit/cut-stream.js';
import { DataFlow } from '../decoder/read/data-flow.js';
import type { ValueTypes } from '../autodiff/value-types.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { copyModel, type OnnxModel } from '../onnx/file/model-file.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import type { Feeds, RunOptions } from '../runtime/session.js';
import { unpackProducts } from '../autodiff/lower/unpacked-products.js';
import { addGradients, lowerModel, typesOf, type Leaf } from './add-gradients.js';
import { FLOAT_PRODUCTS, decodingGraph } from './decoded-weights.js';

export interface SegmentGraphs {
  /** Gives the stream, shapes for later segments, and `products`. Missing for the last segment. */
  forward: OnnxModel | undefined;
  /** Missing below the first scale that is trained. */
  gradient: SegmentGradient | undefined;
  /** Gives weights that both graphs compute, to be fed instead (`takeDecoded`); missing where there are none. */
  decoding: OnnxModel | undefined;
}

export interface SegmentGradient {
  model: OnnxModel;
  /** The gradients' names by the leaves', the stream going in among them where its gradient is wanted. */
  outputs: ReadonlyMap<string, string>;
  /** Values of the forward part that are inputs here. */
  products: readonly string[];
}

export interface SegmentTask {
  segment: Segment;
  /** The value that is differentiated, in the last segment. */
  loss: string;
  /** Scales in the segment that are trained. */
  leaves: readonly Leaf[];
  /** Whether scales below are trained. */
  wantsStream: boolean;
  hiddenSize: number;
  /** Feeds of two sizes, of all that the segment takes. */
  probes: readonly Feeds[];
  /** Whether products are handed over. */
  keepsProducts: boolean;
  /** Whether weights are decoded once. */
  decodes: boolean;
  runOptions: RunOptions;
}

/** float32, of the stream's shape: the gradient of the loss by the stream that goes out of a segment. */
export const SEED = 'hopscotch.stream_gradient';

/** @throws UserError if an operator has no gradient rule, or onnxruntime cannot load the segment */
export async function segmentGraphs(task: SegmentTask): Promise<SegmentGraphs> {
  const { segment, leaves, wantsStream, probes, runOptions } = task;
  const { model, streamOut } = segment;
  if (task.decodes) unpackProducts(new Graph(model.graph));
  await lowerModel(model, probes, runOptions);
  const decoding = task.decodes ? decodingGraph(model) : undefined;
  const forward = streamOut === undefined ? undefined : copyModel(model);
  if (leaves.length === 0 && !wantsStream) return { forward, gradient: undefined, decoding };
  const types = await typesOf(model, probes, runOptions);
  const outputs = gradientOf(task, types);
  const products = forward && task.keepsProducts ? handOver(forward, model, types) : [];
  return { forward, gradient: { model, outputs, products }, decoding };
}

function gradientOf(task: SegmentTask, types: ValueTypes): ReadonlyMap<string, string> {
  const { segment, leaves, wantsStream, loss } = task;
  const { model, streamIn, streamOut } = segment;
  const graph = new Graph(model.graph);
  const streamShape = ['stream_rows', 'stream_positions', task.hiddenSize];
  if (streamOut !== undefined) {
    graph.addInput(makeValueInfo(SEED, DataType.FLOAT, streamShape));
    graph.removeOutputs(new Set([streamOut, ...segment.shapesOut]));
  }
  return addGradients(model, {
    result: streamOut ?? loss,
    seed: streamOut && SEED,
    leaves: wantsStream ? [...leaves, { name: streamIn!, shape: streamShape }] : leaves,
    types,
  });
}

/** Operators that multiply matrices. */
const PRODUCTS = new Set([...FLOAT_PRODUCTS, 'MatMulNBits', 'MatMulBnb4']);

/** Makes what the gradient needs of products with weights outputs of the forward part, and inputs of the gradient. */
function handOver(forward: OnnxModel, gradient: OnnxModel, types: ValueTypes): string[] {
  const forwardGraph = new Graph(forward.graph);
  const flow = new DataFlow(forwardGraph);
  const graph = new Graph(gradient.graph);
  const products = forwardGraph.nodes
    .filter(
      ({ opType, input, output }) =>
        PRODUCTS.has(opType) &&
        input.slice(0, 2).filter((value) => flow.isConstant(value)).length === 1 &&
        !forwardGraph.isOutput(output[0]!) &&
        graph.consumers(output[0]!).length > 0,
    )
    .map(({ output }) => output[0]!);
  for (const value of products) {
    const info = makeValueInfo(value, DataType.FLOAT, types.get(value)!.shape);
    forward.graph.output.push(info);
    graph.removeNodes(new Set([graph.producer(value)!]));
    graph.addInput(info);
  }
  graph.removeUnused();
  const unread = new Set(products.filter((value) => graph.consumers(value).length === 0));
  graph.removeInputs(unread);
  forward.graph.output = forward.graph.output.filter(({ name }) => !unread.has(name));
  return products.filter((value) => !unread.has(value));
}
