/** Writes large weights straight into a data file, so that graphs of any size can be built, for tests. */
import { closeSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import { create } from '@bufbuild/protobuf';
import { hashToUnit } from '../../src/engine/data/seeded-random.js';
import { DataType } from '../../src/engine/onnx/data-types.js';
import {
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation as DataLocation,
} from '../../src/engine/onnx/onnx_pb.js';
import { elementCount } from '../../src/engine/onnx/tensor.js';
import { GraphWriter } from './graph-writer.js';

/** Elements that a weight must have to be called large. */
const LARGE = 1 << 16;
const CHUNK = 1 << 20;
const PAGE = 4096;

export class LargeGraphWriter extends GraphWriter {
  readonly #file: number;
  readonly #location: string;
  /** Between -1 and 1. */
  readonly #random = Float32Array.from({ length: CHUNK }, (_, index) => 2 * hashToUnit(index, 'large') - 1);
  #size = 0;

  /** @param file the data file beside the model */
  constructor(file: string) {
    super(17, 1);
    this.#file = openSync(file, 'w');
    this.#location = path.basename(file);
  }

  /** Bytes of the data file so far. */
  get size(): number {
    return this.#size;
  }

  override weight(
    name: string,
    dims: readonly number[],
    spread = 1 / Math.sqrt(dims[0]!),
    centre = 0,
  ): string {
    const count = elementCount(dims);
    if (count < LARGE) return super.weight(name, dims, spread, centre);
    // The same random numbers again and again, from another place on in each weight.
    const start = Math.floor(hashToUnit(0, name) * CHUNK);
    const numbers = this.#random.map((_, index) => centre + spread * this.#random[(start + index) % CHUNK]!);
    const offset = Math.ceil(this.#size / PAGE) * PAGE;
    for (let done = 0; done < count; done += CHUNK) {
      const part = numbers.subarray(0, Math.min(CHUNK, count - done));
      writeSync(this.#file, part, 0, part.byteLength, offset + 4 * done);
    }
    this.#size = offset + 4 * count;
    const data = { location: this.#location, offset: `${offset}`, length: `${4 * count}` };
    return this.graph.addInitializer(
      create(TensorProtoSchema, {
        name: this.graph.freshName(name),
        dataType: DataType.FLOAT,
        dims: dims.map(BigInt),
        dataLocation: DataLocation.EXTERNAL,
        externalData: Object.entries(data).map(([key, value]) =>
          create(StringStringEntryProtoSchema, { key, value }),
        ),
      }),
    );
  }

  close(): void {
    closeSync(this.#file);
  }
}
