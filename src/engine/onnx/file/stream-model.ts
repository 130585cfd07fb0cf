/**
 * Writes an ONNX file message by message: encoded as a whole, a model with its weights inside would be in memory twice.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { toBinary } from '@bufbuild/protobuf';
import { shallowCopy } from './shallow-copy.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  type GraphProto,
  type ModelProto,
  type TensorProto,
} from './onnx_pb.js';

/** Field numbers of ONNX's messages (onnx.proto); messages may have their fields in any order. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_RAW_DATA = 9;

/** Protobuf's wire type of messages and bytes. */
const LENGTH_DELIMITED = 2;

/** What follows one another in the file. */
type Pieces = readonly Uint8Array[];

/** Writes the file, or what stands in its place. */
export function streamModel(proto: ModelProto, graph: GraphProto, file: string): void {
  const outer = shallowCopy(proto);
  delete outer.graph;
  const inner = shallowCopy(graph);
  inner.initializer = [];
  const initializers = graph.initializer.map((tensor) => field(GRAPH_INITIALIZER, tensorPieces(tensor)));
  const graphPieces = [toBinary(GraphProtoSchema, inner), ...initializers.flat()];
  const descriptor = openSync(file, 'w');
  try {
    for (const piece of [toBinary(ModelProtoSchema, outer), ...field(MODEL_GRAPH, graphPieces)])
      for (let done = 0; done < piece.length;) done += writeSync(descriptor, piece, done);
  } finally {
    closeSync(descriptor);
  }
}

function tensorPieces(tensor: TensorProto): Pieces {
  if (tensor.rawData.length === 0) return [toBinary(TensorProtoSchema, tensor)];
  const rest = shallowCopy(tensor);
  rest.rawData = new Uint8Array();
  return [toBinary(TensorProtoSchema, rest), ...field(TENSOR_RAW_DATA, [tensor.rawData])];
}

function field(number: number, value: Pieces): Pieces {
  const length = value.reduce((sum, { length: bytes }) => sum + bytes, 0);
  return [Uint8Array.from([...varint(number * 8 + LENGTH_DELIMITED), ...varint(length)]), ...value];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
