/** Constants of a graph that is yet to be written: their types, shapes and places are known, their bytes come one by one. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { TensorProto } from '../../onnx/file/onnx_pb.js';
import { externalTensor, WEIGHT_ALIGNMENT } from '../../onnx/file/external-data.js';
import { byteLength, type DataType } from '../../onnx/graph/data-types.js';
import { elementCount } from '../../onnx/graph/tensor.js';

export interface PlannedTensor {
  name: string;
  dataType: DataType;
  dims: readonly number[];
}

/** Constants that are made of the same weight, and so in one go. */
export interface PlannedWeight {
  tensors: readonly PlannedTensor[];
  /** The next bytes of each tensor, in the order of `tensors`. */
  parts(): Iterable<readonly Uint8Array[]> | AsyncIterable<readonly Uint8Array[]>;
}

interface Placed {
  weight: PlannedWeight;
  /** Bytes from the data file's start, one for each tensor. */
  offsets: readonly number[];
}

/** The data file beside the ONNX file, laid out before it is written. */
export class PlannedDataFile {
  readonly #placed: Placed[] = [];
  #end = 0;

  /** @param location its name beside the ONNX file */
  constructor(readonly location: string) {}

  get bytes(): number {
    return this.#end;
  }

  get weights(): readonly Placed[] {
    return this.#placed;
  }

  /** Gives a weight its place; returns the constants that stand for it in the graph. */
  add(weight: PlannedWeight): TensorProto[] {
    const offsets: number[] = [];
    const tensors = weight.tensors.map(({ name, dataType, dims }) => {
      const length = byteLength(dataType, elementCount(dims));
      const offset = Math.ceil(this.#end / WEIGHT_ALIGNMENT) * WEIGHT_ALIGNMENT;
      offsets.push(offset);
      this.#end = offset + length;
      return externalTensor({ name, dataType, dims }, { location: this.location, offset, length });
    });
    this.#placed.push({ weight, offsets });
    return tensors;
  }
}

export interface DataFileOptions {
  signal?: AbortSignal;
  /** Bytes of weights written so far. */
  onProgress?: (done: number, total: number) => void;
  /** Called between weights. */
  giveWay?: () => Promise<void>;
}

/**
 * Makes all weights, some bytes after the other.
 * @param take what is done with bytes, given where they belong in the data file
 * @throws CancelledError if stopped
 */
export async function makeWeights(
  dataFile: PlannedDataFile,
  take: (bytes: Uint8Array, offset: number) => void,
  { signal, onProgress, giveWay }: DataFileOptions = {},
): Promise<void> {
  let done = 0;
  for (const { weight, offsets } of dataFile.weights) {
    const ends = [...offsets];
    for await (const parts of weight.parts()) {
      for (const [index, bytes] of parts.entries()) {
        take(bytes, ends[index]!);
        ends[index]! += bytes.length;
        done += bytes.length;
      }
      await nextTurn();
      throwIfCancelled(signal);
      onProgress?.(done, dataFile.bytes);
      await giveWay?.();
    }
  }
}

/** The same into a file. @throws CancelledError if stopped, Error with a code of the file system */
export async function writeDataFile(
  dataFile: PlannedDataFile,
  file: string,
  options: DataFileOptions = {},
): Promise<void> {
  const descriptor = openSync(file, 'w');
  try {
    await makeWeights(dataFile, (bytes, offset) => writeFully(descriptor, bytes, offset), options);
  } finally {
    closeSync(descriptor);
  }
}

function writeFully(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 1 << 30), offset + done);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
