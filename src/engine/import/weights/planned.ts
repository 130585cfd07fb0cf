/** Constants of a graph that is yet to be written: their types, shapes and places are known, their bytes come one by one. */
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
  parts(): Iterable<readonly Uint8Array[]>;
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
