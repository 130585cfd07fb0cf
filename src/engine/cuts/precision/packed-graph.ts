/** Products with weights in codes in the place of those with floats, and the embedding's table likewise. */
import type { Decoder } from '../../decoder/decoder.js';
import { packCodes, type Packing } from '../../import/weights/packed-weights.js';
import type { PlannedDataFile, PlannedTensor } from '../../import/weights/planned.js';
import { DataType, numberToFloat16 } from '../../onnx/graph/data-types.js';
import { Operators } from '../../onnx/graph/operators.js';
import { feedbackOf, type Feedback } from './error-feedback.js';
import type { Multiplier } from './multiplier.js';
import { blockOf, type PrecisionFacts } from './precision.js';
import { hasZeroPoints, type CodeForm } from './round-block.js';
import { roundRows } from './round-rows.js';
import { sameRows } from './same-rows.js';
import type { Sensitivities, Sensitivity } from './sensitivities.js';
import type { RowsOfWeight } from './weight-rows.js';
import { weightsOf } from './weights.js';

export interface PackedGraph {
  /** Weights that are in codes now, and how many bytes they had. */
  packed: readonly RowsOfWeight[];
  /** Whether the embedding and the head share their codes. */
  tied: boolean;
}

export interface Rounding {
  /** Of the inputs on the task; where there are none, all inputs are the same. */
  sensitivities: Sensitivities | undefined;
  /** Open until the data file is written. */
  multiplier: Multiplier;
}

/** Activations are rounded to 8 bits inside of the products, without which onnxruntime's CPU is slow (docs/decisions/070). */
const ACCURACY_LEVEL = 4;

/**
 * Changes the decoder's graph; its weights are rounded when the data file is written.
 */
export function packWeights(
  decoder: Decoder,
  { bits, activations }: PrecisionFacts & { bits: 4 | 8 },
  dataFile: PlannedDataFile,
  rounding: Rounding,
): PackedGraph {
  const { graph } = decoder;
  const { folder } = decoder.model;
  const op = new Operators(graph, 'packed');
  const { products, table } = weightsOf(decoder);
  const tie =
    table &&
    products.find(
      ({ weight }) =>
        weight.columns % blockOf(weight.columns) === 0 && sameRows(table.weight, weight, folder),
    );
  const packer = new Packer(
    folder,
    { bits, halfScales: activations === DataType.FLOAT16 },
    rounding,
    (weight) => {
      for (const tensor of dataFile.add(weight)) graph.addInitializer(tensor);
    },
    (base) => graph.freshName(base),
  );
  for (const { node, weight, x, bias } of products) {
    if (weight.bits <= bits) continue;
    const { codes, scales, zeros, block } = packer.pack(weight);
    const attributes = {
      K: weight.columns,
      N: weight.rows,
      bits,
      block_size: block,
      accuracy_level: ACCURACY_LEVEL,
    };
    op.enter(node.name || node.output[0]!);
    graph.removeNodes(new Set([node]));
    const result = op.emit('MatMulNBits', [x, codes, scales, ...zeros], attributes, 'com.microsoft');
    op.name(bias ? op.add(result, bias) : result, node.output[0]!);
  }
  const isPacked =
    table && table.weight.bits > bits && table.weight.columns % blockOf(table.weight.columns) === 0;
  if (isPacked) {
    const { node } = table;
    const weight = tie?.weight ?? table.weight;
    const { codes, scales, zeros, block } = packer.pack(weight);
    op.enter(node.name || node.output[0]!);
    graph.removeNodes(new Set([node]));
    const rows = op.reshape(codes, [weight.rows, (weight.columns * bits) / 8]);
    const attributes = { bits, block_size: block, gather_axis: 0, quantize_axis: 1 };
    op.name(
      op.emit('GatherBlockQuantized', [rows, node.input[1]!, scales, ...zeros], attributes, 'com.microsoft'),
      node.output[0]!,
    );
  }
  graph.removeUnused();
  graph.sortNodes();
  return { packed: packer.packed, tied: isPacked === true && tie !== undefined };
}

interface PackedNames extends Pick<Packing, 'block'> {
  codes: string;
  scales: string;
  /** The zero points' name; empty where they are the middle of the codes. */
  zeros: readonly string[];
}

/** Rows that are rounded between two turns of the event loop. */
const ROWS_AT_ONCE = 1024;

class Packer {
  readonly packed: RowsOfWeight[] = [];
  readonly #names = new Map<string, PackedNames>();
  /** What was made of the last sensitivity: neighbours share it. */
  #feedback: { of: Sensitivity; feedback: Feedback } | undefined;

  constructor(
    readonly folder: string | undefined,
    readonly form: Omit<CodeForm, 'block'>,
    readonly rounding: Rounding,
    readonly plan: (weight: Parameters<PlannedDataFile['add']>[0]) => void,
    readonly freshName: (base: string) => string,
  ) {}

  /** Each weight once. */
  pack(weight: RowsOfWeight): PackedNames {
    const known = this.#names.get(weight.name);
    if (known) return known;
    const block = blockOf(weight.columns);
    const blocks = Math.ceil(weight.columns / block);
    const { bits, halfScales } = this.form;
    const codes: PlannedTensor = {
      name: this.freshName(`${weight.name}_Q${bits}`),
      dataType: DataType.UINT8,
      dims: [weight.rows, blocks, (block * bits) / 8],
    };
    const scales: PlannedTensor = {
      name: this.freshName(`${weight.name}_scales`),
      dataType: halfScales ? DataType.FLOAT16 : DataType.FLOAT,
      dims: [weight.rows, blocks],
    };
    const zeros: PlannedTensor[] = hasZeroPoints(this.form)
      ? [
          {
            name: this.freshName(`${weight.name}_zero_points`),
            dataType: DataType.UINT8,
            dims: [weight.rows, Math.ceil((blocks * bits) / 8)],
          },
        ]
      : [];
    this.plan({
      tensors: [codes, scales, ...zeros],
      parts: () => this.#parts(weight, blocks * block, { ...this.form, block }),
    });
    const names = { codes: codes.name, scales: scales.name, zeros: zeros.map(({ name }) => name), block };
    this.#names.set(weight.name, names);
    this.packed.push(weight);
    return names;
  }

  async *#parts(weight: RowsOfWeight, width: number, form: CodeForm): AsyncGenerator<readonly Uint8Array[]> {
    const read = weight.open(this.folder);
    const feedback = await this.#feedbackOf(weight.name, form.block);
    for (let first = 0; first < weight.rows; first += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, weight.rows - first);
      const rows = new Float32Array(count * width);
      for (let row = 0; row < count; row += 1)
        read(first + row, rows.subarray(row * width, row * width + weight.columns));
      const { codes, scales, zeros } = await roundRows(rows, width, form, feedback, this.rounding.multiplier);
      const packed = [packCodes(codes, form.bits), scaleBytes(scales, form.halfScales)];
      yield hasZeroPoints(form) ? [...packed, packCodes(evenRows(zeros, count), form.bits)] : packed;
    }
  }

  async #feedbackOf(name: string, block: number): Promise<Feedback | undefined> {
    const sensitivity = this.rounding.sensitivities?.byWeight.get(name);
    if (!sensitivity) return undefined;
    if (this.#feedback?.of !== sensitivity) {
      const feedback = await feedbackOf(sensitivity, block, this.rounding.multiplier);
      this.#feedback = { of: sensitivity, feedback };
    }
    return this.#feedback.feedback;
  }
}

/** Rows begin at whole bytes. */
function evenRows(zeros: Uint8Array, count: number): Uint8Array {
  const width = zeros.length / count;
  if (width % 2 === 0) return zeros;
  const even = new Uint8Array(count * (width + 1));
  for (let row = 0; row < count; row += 1)
    even.set(zeros.subarray(row * width, (row + 1) * width), row * (width + 1));
  return even;
}

function scaleBytes(scales: Float32Array, half: boolean): Uint8Array {
  const values = half ? Uint16Array.from(scales, numberToFloat16) : scales;
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
