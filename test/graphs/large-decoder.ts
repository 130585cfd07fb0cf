/** Decoders larger than a test's memory should be: their weights are made one by one, straight into a data file. */
import { closeSync, openSync, writeFileSync, writeSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { create } from '@bufbuild/protobuf';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { encodeModel } from '../../src/engine/onnx/file/model-file.js';
import {
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation as DataLocation,
} from '../../src/engine/onnx/file/onnx_pb.js';
import { elementCount } from '../../src/engine/onnx/graph/tensor.js';
import { buildDecoder, type DecoderOptions } from './build-decoder.js';
import type { DecoderStyle } from './decoder-style.js';
import { GraphWriter } from './graph-writer.js';

const PAGE = 4096;
const DATA_FILE = 'model.onnx_data';

/**
 * Writes model.onnx and model.onnx_data. The same options give the same bytes.
 * @returns the bytes of all weights
 */
export function writeLargeDecoder(folder: string, style: DecoderStyle, options: DecoderOptions = {}): number {
  mkdirSync(folder, { recursive: true });
  const descriptor = openSync(path.join(folder, DATA_FILE), 'w');
  try {
    const writer = new FileGraphWriter(options.opset ?? 14, options.seed ?? 1, descriptor);
    const model = buildDecoder(style, { ...options, writer });
    writeFileSync(path.join(folder, 'model.onnx'), encodeModel(model));
    return writer.weightBytes;
  } finally {
    closeSync(descriptor);
  }
}

class FileGraphWriter extends GraphWriter {
  weightBytes = 0;
  readonly #descriptor: number;
  #offset = 0;
  #random: number;

  constructor(opset: number, seed: number, descriptor: number) {
    super(opset, seed);
    this.#descriptor = descriptor;
    this.#random = seed;
  }

  override weight(
    name: string,
    dims: readonly number[],
    spread = 1 / Math.sqrt(dims[0]!),
    centre = 0,
  ): string {
    const values = new Float32Array(elementCount(dims));
    for (let index = 0; index < values.length; index += 1) values[index] = centre + spread * this.#next();
    const bytes = new Uint8Array(values.buffer);
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, this.#offset + done);
    }
    const place = { location: DATA_FILE, offset: `${this.#offset}`, length: `${bytes.length}` };
    this.#offset += Math.ceil(bytes.length / PAGE) * PAGE;
    this.weightBytes += bytes.length;
    return this.graph.addInitializer(
      create(TensorProtoSchema, {
        name: this.graph.freshName(name),
        dataType: DataType.FLOAT,
        dims: dims.map(BigInt),
        dataLocation: DataLocation.EXTERNAL,
        externalData: Object.entries(place).map(([key, value]) =>
          create(StringStringEntryProtoSchema, { key, value }),
        ),
      }),
    );
  }

  /** Uniform in -1 to 1 (a linear congruential generator: a thousand million numbers must come fast). */
  #next(): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) | 0;
    return this.#random / 2 ** 31;
  }
}
