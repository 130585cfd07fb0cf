/**
 * Weights that are fed into a session instead of lying in it: sessions of graphs of one form become one, opening takes
 * no copy of the weights, and all sessions of a model share the bytes. onnxruntime reads fed tensors where they are.
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { externalLocation, isExternal } from '../onnx/file/external-data.js';
import { copyModel, type OnnxModel } from '../onnx/file/model-file.js';
import type { GraphProto, NodeProto, TensorProto } from '../onnx/file/onnx_pb.js';
import { intAttribute } from '../onnx/graph/attributes.js';
import { DataType } from '../onnx/graph/data-types.js';
import { isStandardDomain } from '../onnx/graph/operator-domain.js';
import { elementCount, tensorBytes, tensorDims } from '../onnx/graph/tensor.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { ort } from './onnxruntime.js';
import type { Feeds } from './session.js';
import type { RuntimeTensor } from './tensors.js';

/** Smaller tensors are constants that a graph's structure or its optimiser depends on. */
const LARGEST_CONSTANT = 8;

/** Contributed operators that read their weights in each run; others may want them when a session opens. */
const READING_OPERATORS = new Set([
  'FusedMatMul',
  'GatherBlockQuantized',
  'GroupQueryAttention',
  'MatMulBnb4',
  'MatMulNBits',
]);

const FED_TYPES: ReadonlyMap<DataType, { type: RuntimeTensor['type']; array: TypedArray; width: number }> =
  new Map([
    [DataType.FLOAT, { type: 'float32', array: Float32Array, width: 4 }],
    [DataType.FLOAT16, { type: 'float16', array: Uint16Array, width: 2 }],
    [DataType.INT8, { type: 'int8', array: Int8Array, width: 1 }],
    [DataType.UINT8, { type: 'uint8', array: Uint8Array, width: 1 }],
  ]);
type TypedArray = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => RuntimeTensor['data'];

/** Names of the initializers that are weights, and not constants of the graph. */
export function weightNames(graph: GraphProto): Set<string> {
  const inputs = new Set(graph.input.map(({ name }) => name));
  const weights = graph.initializer.filter(
    ({ name, dataType, dims }) =>
      FED_TYPES.has(dataType) && elementCount(dims.map(Number)) > LARGEST_CONSTANT && !inputs.has(name),
  );
  return new Set(weights.map(({ name }) => name));
}

/** Names of the weights that can be fed. */
export function feedableWeights(graph: GraphProto): Set<string> {
  const weights = weightNames(graph);
  for (const node of graph.node.filter(wantsConstants)) for (const name of node.input) weights.delete(name);
  return weights;
}

/** Products that round their activations take weights that are packed for it when the session opens. */
function wantsConstants(node: NodeProto): boolean {
  if (isStandardDomain(node.domain)) return false;
  return !READING_OPERATORS.has(node.opType) || intAttribute(node, 'accuracy_level', 0) !== 0;
}

/** A copy that has some of its initializers as inputs. */
export function withInputsFor(model: OnnxModel, weights: ReadonlySet<string>): OnnxModel {
  const copy = copyModel(model);
  const { graph } = copy;
  const fed = graph.initializer.filter(({ name }) => weights.has(name));
  graph.initializer = graph.initializer.filter(({ name }) => !weights.has(name));
  graph.input.push(...fed.map((tensor) => makeValueInfo(tensor.name, tensor.dataType, tensorDims(tensor))));
  return copy;
}

/** Feeds of those of a model's initializers that are among the names. */
export function weightFeeds(model: OnnxModel, weights: ReadonlySet<string>): Feeds {
  const fed = model.graph.initializer.filter(({ name }) => weights.has(name));
  return Object.fromEntries(fed.map((tensor) => [tensor.name, weightTensor(tensor, model.folder)]));
}

/** Tensors that are in use, by the bytes in memory or by their place in a file. */
const byBytes = new WeakMap<Uint8Array, RuntimeTensor>();
const byPlace = new Map<string, WeakRef<RuntimeTensor>>();

/** One tensor for each weight, however many sessions it is fed to. */
function weightTensor(tensor: TensorProto, folder: string | undefined): RuntimeTensor {
  if (!isExternal(tensor)) {
    const known = byBytes.get(tensor.rawData) ?? makeTensor(tensor, folder);
    if (tensor.rawData.length > 0) byBytes.set(tensor.rawData, known);
    return known;
  }
  const { location, offset } = externalLocation(tensor);
  const file = path.join(folder ?? '', location);
  const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? {};
  const place = [file, mtimeMs, size, offset, tensor.dataType, tensor.dims.join('x')].join('|');
  const known = byPlace.get(place)?.deref() ?? makeTensor(tensor, folder);
  byPlace.set(place, new WeakRef(known));
  return known;
}

function makeTensor(tensor: TensorProto, folder: string | undefined): RuntimeTensor {
  const { type, array, width } = FED_TYPES.get(tensor.dataType)!;
  const bytes = tensorBytes(tensor, folder);
  // Typed arrays begin at a multiple of their elements' width.
  const { buffer, byteOffset, length } = bytes.byteOffset % width === 0 ? bytes : Uint8Array.from(bytes);
  const values = new array(buffer, byteOffset, length / width);
  return new ort.Tensor(type as 'float32', values as Float32Array, tensorDims(tensor));
}
