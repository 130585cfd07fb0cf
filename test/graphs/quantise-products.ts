/** Quantises the weights of a decoder's products, in each way that exporters write, for tests. */
import { create } from '@bufbuild/protobuf';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { Graph } from '../../src/engine/onnx/graph/graph.js';
import { copyModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { OperatorSetIdProtoSchema, type NodeProto } from '../../src/engine/onnx/file/onnx_pb.js';
import {
  floatTensor,
  tensorDims,
  tensorFromBytes,
  tensorToFloat32,
} from '../../src/engine/onnx/graph/tensor.js';

export const QUANTISATIONS = [
  'MatMulNBits 4',
  'MatMulNBits 4 with zero points',
  'MatMulNBits 8',
  'MatMulNBits 8 with zero points',
  'MatMulNBits 4, accuracy level 4',
  'MatMulBnb4',
  'MatMulInteger',
  'MatMulInteger by channel',
  'MatMulIntegerToFloat',
  'MatMulIntegerToFloat by channel',
  'DynamicQuantizeMatMul',
  'DequantizeLinear',
  'DequantizeLinear by channel',
  'DequantizeLinear transposed',
  'DequantizeLinear in blocks',
  'QuantizeLinear of activations',
] as const;

export type Quantisation = (typeof QUANTISATIONS)[number];

const BLOCK = 16;

/** A weight [K, N], row by row. */
interface Weight {
  name: string;
  values: Float32Array;
  inner: number;
  outer: number;
}

/** A copy in which each MatMul with a weight has it quantised; the first dimensions must be multiples of 16. */
export function quantiseProducts(model: OnnxModel, quantisation: Quantisation): OnnxModel {
  const copy = copyModel(model);
  const graph = new Graph(copy.graph);
  for (const node of graph.nodes.filter(({ opType }) => opType === 'MatMul')) {
    const tensor = graph.initializer(node.input[1]!);
    if (tensor?.dims.length !== 2) continue;
    const [inner, outer] = tensorDims(tensor) as [number, number];
    const weight = { name: tensor.name, values: tensorToFloat32(tensor, undefined), inner, outer };
    graph.removeNodes(new Set([node]));
    new Quantiser(graph, node, weight).replace(quantisation);
  }
  graph.removeUnused();
  graph.sortNodes();
  copy.proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }));
  return copy;
}

class Quantiser {
  readonly #x: string;
  readonly #outputs: readonly string[];

  constructor(
    readonly graph: Graph,
    node: NodeProto,
    readonly weight: Weight,
  ) {
    this.#x = node.input[0]!;
    this.#outputs = [node.output[0]!];
  }

  replace(quantisation: Quantisation): void {
    const byChannel = quantisation.includes('by channel');
    const zeroPoints = quantisation.includes('zero points');
    if (quantisation.startsWith('MatMulNBits')) {
      const level: Record<string, number> = quantisation.includes('accuracy') ? { accuracy_level: 4 } : {};
      this.#nBits(quantisation.includes('8') ? 8 : 4, zeroPoints, level);
    } else if (quantisation === 'MatMulBnb4') this.#normalFloats();
    else if (quantisation === 'QuantizeLinear of activations') this.#static();
    else if (quantisation.startsWith('DequantizeLinear')) {
      if (quantisation.includes('blocks')) this.#dequantisedBlocks();
      else this.#dequantised(byChannel, quantisation.includes('transposed'));
    } else if (quantisation === 'DynamicQuantizeMatMul') this.#dynamic();
    else this.#integer(quantisation.startsWith('MatMulIntegerToFloat'), byChannel);
  }

  #nBits(bits: 4 | 8, hasZeroPoints: boolean, level: Record<string, number>): void {
    const { values, inner, outer, name } = this.weight;
    const blocks = inner / BLOCK;
    const scales = new Float32Array(outer * blocks);
    const zeros = new Uint8Array(outer * blocks);
    const quantised = new Uint8Array(outer * inner);
    for (let channel = 0; channel < outer; channel += 1) {
      for (let block = 0; block < blocks; block += 1) {
        const place = channel * blocks + block;
        const zero = 2 ** (bits - 1) + (hasZeroPoints ? (place % 3) - 1 : 0);
        const own = Array.from({ length: BLOCK }, (_, i) => values[(block * BLOCK + i) * outer + channel]!);
        scales[place] = Math.max(...own.map(Math.abs)) / (2 ** (bits - 1) - 2);
        zeros[place] = zero;
        own.forEach((value, i) => {
          quantised[place * BLOCK + i] = clamp(Math.round(value / scales[place]!) + zero, 0, 2 ** bits - 1);
        });
      }
    }
    const pack = (bytes: Uint8Array) => (bits === 8 ? bytes : packNibbles(bytes));
    const zeroRows = chunks(zeros, blocks).flatMap((row) => Array.from(pack(row)));
    const inputs = [
      this.#x,
      this.#bytes('q', DataType.UINT8, [outer, blocks, (BLOCK * bits) / 8], pack(quantised)),
      this.graph.addInitializer(floatTensor(`${name}.scales`, [outer * blocks], scales)),
      ...(hasZeroPoints
        ? [this.#bytes('zeros', DataType.UINT8, [zeroRows.length], Uint8Array.from(zeroRows))]
        : []),
    ];
    const attributes = { K: inner, N: outer, bits, block_size: BLOCK, ...level };
    this.#end('MatMulNBits', inputs, attributes, 'com.microsoft');
  }

  /** Random quantiles of a normal distribution, with one factor a block. */
  #normalFloats(): void {
    const { values, inner, outer, name } = this.weight;
    const count = (inner * outer) / BLOCK;
    const packed = Uint8Array.from({ length: (inner * outer) / 2 }, (_, i) => (values[i]! * 1e6) & 255);
    const inputs = [
      this.#x,
      this.#bytes('q', DataType.UINT8, [packed.length], packed),
      this.graph.addInitializer(
        floatTensor(
          `${name}.absmax`,
          [count],
          Array.from({ length: count }, (_, i) => (1 + (i % 3)) / 2 / Math.sqrt(inner)),
        ),
      ),
    ];
    this.#end(
      'MatMulBnb4',
      inputs,
      { K: inner, N: outer, block_size: BLOCK, quant_type: 1 },
      'com.microsoft',
    );
  }

  /** Activations in front of the product and behind it rounded to fixed steps, as onnxruntime's static quantiser does. */
  #static(): void {
    const { quantised, scale, zero } = this.#signed(false);
    const [weight] = this.graph.addNode('DequantizeLinear', [quantised, scale, zero]);
    const [product] = this.graph.addNode('MatMul', [this.#rounded(this.#x), weight!]);
    this.#rounded(product!, this.#outputs);
  }

  #rounded(value: string, outputs?: readonly string[]): string {
    const step = this.graph.addInitializer(
      floatTensor(this.graph.freshName(`${this.weight.name}.step`), [], [1 / 16]),
    );
    const name = this.graph.freshName(`${this.weight.name}.middle`);
    const middle = this.graph.addInitializer(tensorFromBytes(name, DataType.UINT8, [], Uint8Array.of(128)));
    const [integers] = this.graph.addNode('QuantizeLinear', [value, step, middle]);
    return this.graph.addNode(
      'DequantizeLinear',
      [integers!, step, middle],
      {},
      outputs ? { outputs } : {},
    )[0]!;
  }

  #integer(toFloat: boolean, byChannel: boolean): void {
    const { quantised, scale, zero } = this.#signed(byChannel, { sevenBits: true });
    const [q, s, z] = this.graph.addNode('DynamicQuantizeLinear', [this.#x], {}, { outputs: 3 }) as [
      string,
      string,
      string,
    ];
    if (toFloat) {
      this.#end('MatMulIntegerToFloat', [q, quantised, s, scale, z, zero], {}, 'com.microsoft');
      return;
    }
    const [product] = this.graph.addNode('MatMulInteger', [q, quantised, z, zero]);
    const [cast] = this.graph.addNode('Cast', [product!], { to: DataType.FLOAT });
    const [scales] = this.graph.addNode('Mul', [s, scale]);
    this.#end('Mul', [cast!, scales!]);
  }

  #dynamic(): void {
    const { quantised, scale, zero } = this.#signed(false, { sevenBits: true });
    this.#end('DynamicQuantizeMatMul', [this.#x, quantised, scale, zero], {}, 'com.microsoft');
  }

  #dequantised(byChannel: boolean, transposed: boolean): void {
    const { quantised, scale, zero } = this.#signed(byChannel, { transposed });
    const axis = transposed ? 0 : 1;
    let [weight] = this.graph.addNode(
      'DequantizeLinear',
      [quantised, scale, zero],
      byChannel ? { axis } : {},
    );
    if (transposed) [weight] = this.graph.addNode('Transpose', [weight!], { perm: [1, 0] });
    this.#end('MatMul', [this.#x, weight!]);
  }

  #dequantisedBlocks(): void {
    const { values, inner, outer, name } = this.weight;
    const scales = new Float32Array((inner / BLOCK) * outer);
    const quantised = new Uint8Array(inner * outer);
    for (let place = 0; place < scales.length; place += 1) {
      const [block, channel] = [Math.floor(place / outer), place % outer];
      const index = (i: number) => (block * BLOCK + i) * outer + channel;
      const own = Array.from({ length: BLOCK }, (_, i) => values[index(i)]!);
      scales[place] = Math.max(...own.map(Math.abs)) / 7;
      own.forEach((value, i) => (quantised[index(i)] = Math.round(value / scales[place]!) & 15));
    }
    const data = this.#bytes('q', DataType.INT4, [inner, outer], packNibbles(quantised));
    const scale = this.graph.addInitializer(floatTensor(`${name}.scales`, [inner / BLOCK, outer], scales));
    const [weight] = this.graph.addNode('DequantizeLinear', [data, scale], { axis: 0, block_size: BLOCK });
    this.#end('MatMul', [this.#x, weight!]);
  }

  /**
   * int8 with a zero point other than zero.
   * @param sevenBits for products of integers: without VNNI onnxruntime adds pairs of them in 16 bits, and cuts off what is
   *   larger
   */
  #signed(
    byChannel: boolean,
    { sevenBits = false, transposed = false } = {},
  ): { quantised: string; scale: string; zero: string } {
    const largest = sevenBits ? 63 : 127;
    const { values, inner, outer, name } = this.weight;
    const count = byChannel ? outer : 1;
    const scales = new Float32Array(count);
    for (let i = 0; i < values.length; i += 1) {
      const group = byChannel ? i % outer : 0;
      scales[group] = Math.max(scales[group]!, Math.abs(values[i]!) / (largest - 7));
    }
    const zero = 3;
    const bytes = Int8Array.from(values, (value, i) =>
      clamp(Math.round(value / scales[byChannel ? i % outer : 0]!) + zero, -largest - 1, largest),
    );
    const turned = transposed
      ? bytes.map((_, i) => bytes[(i % inner) * outer + Math.floor(i / inner)]!)
      : bytes;
    const dims = byChannel ? [outer] : [];
    return {
      quantised: this.#bytes(
        'q',
        DataType.INT8,
        transposed ? [outer, inner] : [inner, outer],
        new Uint8Array(turned.buffer),
      ),
      scale: this.graph.addInitializer(floatTensor(`${name}.scales`, dims, scales)),
      zero: this.#bytes('zero', DataType.INT8, dims, new Uint8Array(count).fill(zero)),
    };
  }

  #bytes(part: string, type: DataType, dims: readonly number[], bytes: Uint8Array): string {
    return this.graph.addInitializer(tensorFromBytes(`${this.weight.name}.${part}`, type, dims, bytes));
  }

  #end(opType: string, inputs: string[], attributes: Record<string, number> = {}, domain = ''): void {
    this.graph.addNode(opType, inputs, attributes, {
      outputs: this.#outputs,
      domain,
      label: this.weight.name,
    });
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Two a byte, the first in the low half. */
function packNibbles(values: Uint8Array): Uint8Array {
  return Uint8Array.from(
    { length: Math.ceil(values.length / 2) },
    (_, index) => values[2 * index]! | ((values[2 * index + 1] ?? 0) << 4),
  );
}

function chunks(values: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: values.length / size }, (_, index) =>
    values.subarray(index * size, (index + 1) * size),
  );
}
