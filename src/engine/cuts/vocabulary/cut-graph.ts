/** A decoder's graph with the rows of some tokens alone. */
import type { Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { shallowCopy } from '../../onnx/file/shallow-copy.js';
import type { TensorProto } from '../../onnx/file/onnx_pb.js';
import { setAttribute } from '../../onnx/graph/attributes.js';
import { externalLocation, externalTensor, isExternal } from '../../onnx/file/external-data.js';
import { DataType, elementBits } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import {
  elementCount,
  int64Tensor,
  tensorBytes,
  tensorDims,
  tensorFromBytes,
  tensorToIntegers,
} from '../../onnx/graph/tensor.js';
import { declaredDims, declaredType, makeValueInfo } from '../../onnx/graph/value-info.js';
import { vocabularyPlaces, type VocabularyPlaces, type VocabularyTable } from './vocabulary-tables.js';

/** Bytes of a weight, made while it is written. */
type WeightEdit = (tensor: TensorProto, folder: string | undefined) => TensorProto;

export interface CutGraph {
  decoder: Decoder;
  /** Tables whose rows are taken while they are written, by their names; in the graph they have their new shapes. */
  edits: ReadonlyMap<string, WeightEdit>;
}

/**
 * @param kept old ids in ascending order; a table with fewer rows has those that it has
 * @throws RangeError if the model cannot be cut: ask `vocabularyPlaces` first
 */
export function cutGraph(original: Decoder, kept: readonly number[]): CutGraph {
  const decoder = readDecoder(copyModel(original.model));
  const places = vocabularyPlaces(decoder);
  if (typeof places === 'string') throw new RangeError(places);
  const { graph, model } = decoder;
  const edits = new Map<string, WeightEdit>();
  for (const table of places.tables) {
    asInitializer(graph, table);
    const rows = kept.filter((id) => id < table.rows);
    const dims = cutDims(table, rows.length);
    const cut = shallowCopy(table.tensor);
    Object.assign(cut, { name: table.value, dims: dims.map(BigInt) });
    graph.replaceInitializer(cut);
    redeclare(graph, table.value, dims);
    edits.set(table.value, (_, folder) =>
      tensorFromBytes(table.value, table.tensor.dataType, dims, cutBytes(table, rows, folder)),
    );
  }
  for (const shape of places.shapes) {
    asInitializer(graph, shape);
    const entries = tensorToIntegers(shape.tensor, model.folder);
    entries[shape.entry] = kept.filter((id) => id < shape.rows).length;
    graph.replaceInitializer(int64Tensor(shape.value, tensorDims(shape.tensor), entries));
  }
  for (const { node, rows } of places.counted) setAttribute(node, 'N', kept.filter((id) => id < rows).length);
  declareResults(decoder, places, kept);
  return { decoder: readDecoder(model), edits };
}

/** Constant nodes hold their tensors in themselves. */
function asInitializer(graph: Graph, { value, tensor }: { value: string; tensor: TensorProto }): void {
  const node = graph.producer(value);
  if (!node) return;
  graph.removeNodes(new Set([node]));
  graph.addInitializer(Object.assign(shallowCopy(tensor), { name: value }));
}

function cutDims({ tensor, axis, rows }: VocabularyTable, count: number): number[] {
  return tensorDims(tensor).map((size, index) => (index === axis ? (size / rows) * count : size));
}

/** Bytes of a table that are read at once. */
const READ_AT_ONCE = 64e6;

/** The entries of the tokens that stay, one after the other. */
function cutBytes(
  { tensor, axis, rows }: VocabularyTable,
  kept: readonly number[],
  folder: string | undefined,
): Uint8Array {
  const dims = tensorDims(tensor);
  const parts = elementCount(dims.slice(0, axis));
  const bits = (elementCount(dims.slice(axis)) / rows) * elementBits(tensor.dataType);
  if (bits % 8 !== 0) return cutPacked(tensorBytes(tensor, folder), { parts, rows, kept, bits });
  const step = bits / 8;
  if (parts === 1 && isExternal(tensor)) return cutInParts(tensor, { rows, kept, step }, folder);
  return cutWhole(tensorBytes(tensor, folder), { parts, rows, kept, step });
}

/** Of a table in a file, some rows at once: it may be larger than the memory that there is. */
function cutInParts(
  tensor: TensorProto,
  { rows, kept, step }: Omit<TableForm, 'parts'> & { step: number },
  folder: string | undefined,
): Uint8Array {
  const target = new Uint8Array(kept.length * step);
  const atOnce = Math.max(1, Math.floor(READ_AT_ONCE / step));
  const { location, offset } = externalLocation(tensor);
  let done = 0;
  for (let first = 0; first < rows; first += atOnce) {
    const count = Math.min(atOnce, rows - first);
    const ids = kept.filter((id) => id >= first && id < first + count).map((id) => id - first);
    if (ids.length === 0) continue;
    const place = { location, offset: offset + first * step, length: count * step };
    const part = externalTensor({ name: tensor.name, dataType: DataType.UINT8, dims: [count * step] }, place);
    target.set(cutWhole(tensorBytes(part, folder), { parts: 1, rows: count, kept: ids, step }), done);
    done += ids.length * step;
  }
  return target;
}

interface TableForm {
  /** How often all rows come, one after the other. */
  parts: number;
  rows: number;
  kept: readonly number[];
}

function cutWhole(source: Uint8Array, { parts, rows, kept, step }: TableForm & { step: number }): Uint8Array {
  const target = new Uint8Array(parts * kept.length * step);
  const runs = runsOf(kept);
  let end = 0;
  for (let part = 0; part < parts; part += 1) {
    const start = part * rows * step;
    for (const [first, last] of runs) {
      const bytes = source.subarray(start + first * step, start + (last + 1) * step);
      target.set(bytes, end);
      end += bytes.length;
    }
  }
  return target;
}

/** Of entries that begin within a byte; the first ones are in its low bits (ONNX specification, raw_data of 4-bit types). */
function cutPacked(
  source: Uint8Array,
  { parts, rows, kept, bits }: TableForm & { bits: number },
): Uint8Array {
  const target = new Uint8Array(Math.ceil((parts * kept.length * bits) / 8));
  let end = 0;
  for (let part = 0; part < parts; part += 1) {
    for (const id of kept) {
      const start = (part * rows + id) * bits;
      for (let bit = start; bit < start + bits; bit += 1) {
        target[end >> 3]! |= ((source[bit >> 3]! >> (bit & 7)) & 1) << (end & 7);
        end += 1;
      }
    }
  }
  return target;
}

/** Ids in a row, as the first and the last of each run. */
function runsOf(ids: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run && run[1] === id - 1) run[1] = id;
    else runs.push([id, id]);
  }
  return runs;
}

/** IR versions before 4 list initializers among the inputs, with their shapes. */
function redeclare(graph: Graph, value: string, dims: readonly number[]): void {
  const index = graph.proto.input.findIndex(({ name }) => name === value);
  if (index < 0) return;
  graph.proto.input[index] = makeValueInfo(value, declaredType(graph.proto.input[index]!)!, dims);
}

/** The logits' declared width; what was inferred of values in between is left out. */
function declareResults(
  { graph, logits, vocabularySize }: Decoder,
  { nodes }: VocabularyPlaces,
  kept: readonly number[],
): void {
  const made = new Set([...nodes].flatMap((node) => node.output));
  graph.proto.valueInfo = graph.proto.valueInfo.filter(({ name }) => !made.has(name));
  const index = graph.proto.output.findIndex(({ name }) => name === logits);
  const output = graph.proto.output[index]!;
  const dims = declaredDims(output);
  const type = declaredType(output);
  if (!dims || type === undefined || typeof dims.at(-1) !== 'number') return;
  const width = kept.filter((id) => id < vocabularySize).length;
  graph.proto.output[index] = makeValueInfo(logits, type, [...dims.slice(0, -1), width]);
}
