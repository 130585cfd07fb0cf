/** Where the constants of a changed graph lie: planned ones are made, others are copied, all in one file or in two. */
import { writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import {
  makeWeights,
  writeDataFile,
  type DataFileOptions,
  type PlannedDataFile,
} from '../../import/weights/planned.js';
import { WEIGHT_ALIGNMENT, isExternal } from '../../onnx/file/external-data.js';
import { encodeModel, initializersOf, type OnnxModel } from '../../onnx/file/model-file.js';
import { TensorProto_DataLocation as DataLocation, type TensorProto } from '../../onnx/file/onnx_pb.js';
import type { DataType } from '../../onnx/graph/data-types.js';
import { DataType as Types } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { tensorByteLength, tensorBytes, tensorDims, tensorFromBytes } from '../../onnx/graph/tensor.js';

/** Leaves room for the graph below the 2 GB that an ONNX file may have. */
const LARGEST_INLINE = 1.8e9;

/**
 * Puts a constant of another type, or the same, in the place of one of the same name.
 * @param bytes makes its elements; asked for when it is written, where it is large
 */
export function planConstant(
  graph: Graph,
  dataFile: PlannedDataFile,
  tensor: TensorProto,
  dataType: DataType,
  bytes: () => Uint8Array,
): void {
  const { name } = tensor;
  const dims = tensorDims(tensor);
  if (tensorByteLength(tensor) < WEIGHT_ALIGNMENT) {
    graph.replaceInitializer(tensorFromBytes(name, dataType, dims, bytes()));
    return;
  }
  const [planned] = dataFile.add({
    tensors: [{ name, dataType, dims }],
    *parts() {
      yield [bytes()];
    },
  });
  graph.replaceInitializer(planned!);
}

/** Constants that nothing was planned for, and that are large or lie in a file of the source's. */
export function planOthers(graph: Graph, dataFile: PlannedDataFile, folder: string | undefined): void {
  const planned = new Set(dataFile.weights.flatMap(({ weight }) => weight.tensors.map(({ name }) => name)));
  for (const tensor of graph.proto.initializer) {
    if (planned.has(tensor.name) || tensor.dataType === Types.STRING) continue;
    if (isExternal(tensor) || tensorByteLength(tensor) >= WEIGHT_ALIGNMENT)
      planConstant(graph, dataFile, tensor, tensor.dataType, () => tensorBytes(tensor, folder));
  }
  const own = new Set(graph.proto.initializer);
  for (const inner of initializersOf(graph.proto)) {
    if (!own.has(inner) && isExternal(inner)) storeInline(inner, tensorBytes(inner, folder));
  }
}

/**
 * Writes the model, with its weights in the file itself or in the data file beside it.
 * @returns the number of data files
 */
export async function writeSettled(
  model: OnnxModel,
  file: string,
  dataFile: PlannedDataFile,
  wantsDataFile: boolean,
  options: DataFileOptions,
): Promise<number> {
  mkdirSync(path.dirname(file), { recursive: true });
  const isApart = wantsDataFile || dataFile.bytes > LARGEST_INLINE;
  if (isApart) await writeDataFile(dataFile, path.join(path.dirname(file), dataFile.location), options);
  else await storeAll(model, dataFile, options);
  writeFileSync(file, encodeModel(model));
  return Number(isApart);
}

async function storeAll(
  { graph }: OnnxModel,
  dataFile: PlannedDataFile,
  options: DataFileOptions,
): Promise<void> {
  const byName = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const places = dataFile.weights
    .flatMap(({ weight, offsets }) =>
      weight.tensors.map(({ name }, index) => ({ name, start: offsets[index]! })),
    )
    .map(({ name, start }) => {
      const tensor = byName.get(name)!;
      storeInline(tensor, new Uint8Array(tensorByteLength(tensor)));
      return { start, target: tensor.rawData };
    });
  await makeWeights(
    dataFile,
    (bytes, offset) => {
      const { start, target } = places[lastAtOrBefore(places, offset)]!;
      target.set(bytes, offset - start);
    },
    options,
  );
}

/** Places are in the order of the data file. */
function lastAtOrBefore(places: readonly { start: number }[], offset: number): number {
  let [low, high] = [0, places.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (places[middle]!.start <= offset) low = middle;
    else high = middle;
  }
  return low;
}

function storeInline(tensor: TensorProto, bytes: Uint8Array): void {
  tensor.dataLocation = DataLocation.DEFAULT;
  tensor.externalData = [];
  tensor.rawData = bytes;
}
