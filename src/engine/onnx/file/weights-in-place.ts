/** Reads an ONNX file without the weights that lie inside it: these stay in the file, as if they were in another one. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { UserError } from '../../../schema/errors.js';
import { tensorBytes } from '../graph/tensor.js';
import { externalLocation, isExternal } from './external-data.js';
import type { OnnxModel } from './model-file.js';
import { shallowCopy } from './shallow-copy.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation as DataLocation,
  type TensorProto,
} from './onnx_pb.js';

/** Field numbers of ONNX's messages (onnx.proto). */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_RAW_DATA = 9;

/** Smaller weights are read: they are constants that the graph's structure depends on. */
const SMALL = 4096;

/** Sizes of protobuf's fixed-size wire types (encoding specification). */
const FIXED_SIZES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const VARINT = 0;
const LENGTH_DELIMITED = 2;

interface Field {
  number: number;
  /** Where the field begins in the file, its value, and where it ends. */
  start: number;
  value: number;
  end: number;
}

/**
 * The model of a file. Its large initializers are external data that lie in the file itself.
 * @throws UserError if the file is not an ONNX model
 */
export function readModelInPlace(file: string): OnnxModel {
  const descriptor = openSync(file, 'r');
  try {
    return new InPlaceReader(descriptor, path.resolve(file)).read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${file} is not an ONNX model, or it is damaged or was not downloaded completely; download or export it again.`,
    );
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The model of a file with each large weight in memory of its own, on a boundary that typed arrays accept: what runs with
 * the weights needs no copies of them.
 * @throws UserError if the file is not an ONNX model
 */
export function readModelApart(file: string): OnnxModel {
  const model = readModelInPlace(file);
  const own = path.basename(file);
  const state = stateOf(file);
  for (const tensor of model.graph.initializer) {
    if (!isExternal(tensor) || externalLocation(tensor).location !== own) continue;
    const bytes = tensorBytes(tensor, model.folder);
    places.set(bytes, { file: path.resolve(file), state, externalData: tensor.externalData });
    tensor.dataLocation = DataLocation.DEFAULT;
    tensor.externalData = [];
    tensor.rawData = bytes;
  }
  return model;
}

/** Where the bytes of a weight that was read apart lie. */
interface Place {
  file: string;
  state: string;
  externalData: TensorProto['externalData'];
}

const places = new WeakMap<Uint8Array, Place>();

/** Changes whenever the file does. */
function stateOf(file: string): string {
  const { size, mtimeMs, ino } = statSync(file);
  return `${size} ${mtimeMs} ${ino}`;
}

/**
 * The model with each weight that was read apart, and that nobody has replaced since, as external data of the file that it
 * came from: onnxruntime then maps it, where bytes within a model in memory would be copied several times. The model
 * itself where there is none, or where the file is another one by now.
 */
export function withWeightsFromFile(model: OnnxModel): OnnxModel {
  const { folder } = model;
  if (folder === undefined) return model;
  const isThere = new Map<string, boolean>();
  const placeOf = ({ rawData }: TensorProto): Place | undefined => {
    const place = places.get(rawData);
    if (!place || path.dirname(place.file) !== path.resolve(folder)) return undefined;
    let known = isThere.get(place.file);
    if (known === undefined) {
      known = existsSync(place.file) && stateOf(place.file) === place.state;
      isThere.set(place.file, known);
    }
    return known ? place : undefined;
  };
  if (!model.graph.initializer.some(placeOf)) return model;
  const graph = shallowCopy(model.graph);
  graph.initializer = graph.initializer.map((tensor) => {
    const place = placeOf(tensor);
    if (!place) return tensor;
    const copy = shallowCopy(tensor);
    copy.rawData = new Uint8Array();
    copy.dataLocation = DataLocation.EXTERNAL;
    copy.externalData = place.externalData;
    return copy;
  });
  const proto = shallowCopy(model.proto);
  proto.graph = graph;
  return { proto, graph, folder };
}

class InPlaceReader {
  readonly #window = new Uint8Array(1 << 16);
  #windowStart = 0;
  #windowEnd = 0;

  constructor(
    readonly descriptor: number,
    readonly file: string,
  ) {}

  read(): OnnxModel {
    const fields = [...this.#fields(0, fstatSync(this.descriptor).size)];
    const proto = fromBinary(
      ModelProtoSchema,
      this.#bytesOf(fields.filter(({ number }) => number !== MODEL_GRAPH)),
    );
    const graphField = fields.find(({ number }) => number === MODEL_GRAPH);
    if (!graphField) throw new UserError(`${this.file} is not an ONNX model: it holds no graph.`);
    const inGraph = [...this.#fields(graphField.value, graphField.end)];
    const isLarge = ({ number, value, end }: Field) => number === GRAPH_INITIALIZER && end - value > SMALL;
    const graph = fromBinary(GraphProtoSchema, this.#bytesOf(inGraph.filter((field) => !isLarge(field))));
    graph.initializer.push(...inGraph.filter(isLarge).map((field) => this.#tensor(field)));
    if (graph.node.length === 0 || proto.opsetImport.length === 0) {
      throw new UserError(`${this.file} is not an ONNX model: it holds no graph.`);
    }
    proto.graph = graph;
    return { proto, graph, folder: path.dirname(this.file) };
  }

  #tensor(field: Field): TensorProto {
    const fields = [...this.#fields(field.value, field.end)];
    const data = fields.find(
      ({ number, value, end }) => number === TENSOR_RAW_DATA && end - value > SMALL / 2,
    );
    const tensor = fromBinary(TensorProtoSchema, this.#bytesOf(fields.filter((other) => other !== data)));
    if (!data) return tensor;
    tensor.dataLocation = DataLocation.EXTERNAL;
    const place = {
      location: path.basename(this.file),
      offset: `${data.value}`,
      length: `${data.end - data.value}`,
    };
    tensor.externalData = Object.entries(place).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    return tensor;
  }

  #bytesOf(fields: readonly Field[]): Uint8Array {
    const bytes = new Uint8Array(fields.reduce((sum, { start, end }) => sum + end - start, 0));
    let offset = 0;
    for (const { start, end } of fields) {
      this.#readInto(bytes.subarray(offset, offset + end - start), start);
      offset += end - start;
    }
    return bytes;
  }

  /** The fields of a message that lies between two places of the file. */
  *#fields(from: number, to: number): Generator<Field> {
    for (let start = from; start < to;) {
      const tag = this.#varint(start);
      const wireType = tag.value % 8;
      let { next: value } = tag;
      let end = value + (FIXED_SIZES[wireType] ?? 0);
      if (wireType === VARINT) end = this.#varint(value).next;
      else if (wireType === LENGTH_DELIMITED) {
        const length = this.#varint(value);
        value = length.next;
        end = value + length.value;
      }
      if (end === tag.next || end > to) throw new RangeError(`A broken field at byte ${start}`);
      yield { number: Math.floor(tag.value / 8), start, value, end };
      start = end;
    }
  }

  #varint(start: number): { value: number; next: number } {
    let value = 0;
    for (let place = 0; place < 10; place += 1) {
      const byte = this.#byte(start + place);
      value += (byte & 127) * 2 ** (7 * place);
      if (byte < 128) return { value, next: start + place + 1 };
    }
    throw new RangeError(`A broken number at byte ${start}`);
  }

  #byte(place: number): number {
    if (place < this.#windowStart || place >= this.#windowEnd) {
      this.#windowStart = place;
      this.#windowEnd = place + readSync(this.descriptor, this.#window, 0, this.#window.length, place);
      if (this.#windowEnd === place) throw new RangeError('The file ends too early');
    }
    return this.#window[place - this.#windowStart]!;
  }

  #readInto(target: Uint8Array, start: number): void {
    for (let done = 0; done < target.length;) {
      const read = readSync(this.descriptor, target, done, target.length - done, start + done);
      if (read === 0) throw new RangeError('The file ends too early');
      done += read;
    }
  }
}
