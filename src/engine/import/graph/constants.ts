/** A graph's constants on their way into the data file: weights in codes or floats, vectors, tables of positions. */
import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema } from '../../onnx/file/onnx_pb.js';
import { WEIGHT_ALIGNMENT } from '../../onnx/file/external-data.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import { elementCount, floatTensor } from '../../onnx/graph/tensor.js';
import { floatTypeOf, rowsWeight, transposedWeight } from '../weights/float-weights.js';
import type { Matrix } from '../weights/matrix.js';
import type { Linear } from '../weights/model-weights.js';
import { packedWeight, packingOf, type PackedWeight } from '../weights/packed-weights.js';
import type { PlannedDataFile, PlannedWeight } from '../weights/planned.js';

/** Activations are rounded to 8 bits inside of MatMulNBits, as onnxruntime-genai's builder has it on the CPU. */
const ACCURACY_LEVEL = 4;

export class GraphConstants {
  readonly graph = new Graph(create(GraphProtoSchema, { name: 'main_graph' }));
  readonly op = new Operators(this.graph, 'constants');
  /** Weights that several nodes read, by name. */
  readonly #packed = new Map<string, PackedWeight>();

  constructor(readonly dataFile: PlannedDataFile) {}

  /** A vector or a table of float32. */
  floats(name: string, dims: readonly number[], values: () => Float32Array): string {
    if (4 * elementCount(dims) < WEIGHT_ALIGNMENT)
      return this.graph.addInitializer(floatTensor(name, dims, values()));
    this.#plan({
      tensors: [{ name, dataType: DataType.FLOAT, dims }],
      *parts() {
        const content = values();
        yield [new Uint8Array(content.buffer, content.byteOffset, content.byteLength)];
      },
    });
    return name;
  }

  vector(name: string, values: Float32Array): string {
    return this.floats(name, [values.length], () => values);
  }

  /** A table of floats, of which rows are taken. */
  table(name: string, matrix: Matrix): string {
    this.#plan(rowsWeight(name, matrix));
    return this.#widened(name, matrix);
  }

  /** x times a weight, plus its bias. @param name what its constants' names begin with */
  linear(x: string, name: string, { matrix, bias }: Linear): string {
    const product = packingOf(matrix.type)
      ? this.#packedProduct(x, `${name}.MatMul.weight`, matrix)
      : this.op.matMul(x, this.#widened(this.#transposed(`${name}.MatMul.weight`, matrix), matrix));
    return bias ? this.op.add(product, this.vector(`${name}.Add.bias`, bias)) : product;
  }

  /**
   * Rows of an embedding by token ids, and where the embedding is the head, too, how that multiplies.
   * @param tied whether it is
   */
  embedding(tokens: string, matrix: Matrix, tied: boolean): { rows: string; head?: (x: string) => string } {
    const name = tied ? 'lm_head.MatMul.weight' : 'model.embed_tokens.weight';
    if (packingOf(matrix.type)) {
      return {
        rows: this.#packedRows(tokens, name, matrix),
        head: tied ? (x) => this.#packedProduct(x, name, matrix) : undefined,
      };
    }
    if (!tied) {
      this.#plan(rowsWeight(name, matrix));
      return { rows: this.#widened(this.op.gather(name, tokens, 0), matrix) };
    }
    const weight = this.#transposed(name, matrix);
    const rows = this.op.gather(this.op.transpose(weight, [1, 0]), tokens, 0);
    return {
      rows: this.#widened(rows, matrix),
      head: (x) => this.op.matMul(x, this.#widened(weight, matrix)),
    };
  }

  #packedProduct(x: string, name: string, matrix: Matrix): string {
    const { codes, scales, zeroPoints, bits, block } = this.#pack(name, matrix);
    const attributes = {
      K: matrix.columns,
      N: matrix.rows,
      bits,
      block_size: block,
      accuracy_level: ACCURACY_LEVEL,
    };
    return this.op.emit('MatMulNBits', [x, codes, scales, zeroPoints], attributes, 'com.microsoft');
  }

  #packedRows(tokens: string, name: string, matrix: Matrix): string {
    const { codes, scales, zeroPoints, bits, block } = this.#pack(name, matrix);
    const table = this.op.reshape(codes, [matrix.rows, (matrix.columns * bits) / 8]);
    const attributes = { bits, block_size: block, gather_axis: 0, quantize_axis: 1 };
    return this.op.emit(
      'GatherBlockQuantized',
      [table, tokens, scales, zeroPoints],
      attributes,
      'com.microsoft',
    );
  }

  #pack(name: string, matrix: Matrix): PackedWeight {
    const known = this.#packed.get(name);
    if (known) return known;
    const packed = packedWeight(name, matrix);
    this.#plan(packed.weight);
    this.#packed.set(name, packed);
    return packed;
  }

  #transposed(name: string, matrix: Matrix): string {
    this.#plan(transposedWeight(name, matrix));
    return name;
  }

  /** Constants of 16 bits are kept as such, and computed with in 32. */
  #widened(value: string, { type }: Matrix): string {
    return floatTypeOf(type) === DataType.FLOAT ? value : this.op.cast(value, DataType.FLOAT);
  }

  #plan(weight: PlannedWeight): void {
    for (const tensor of this.dataFile.add(weight)) this.graph.addInitializer(tensor);
  }
}
