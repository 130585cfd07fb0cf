/** Where a decoder's graph has a row a token: tables of the embedding and the head, attributes, shapes. */
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import { describeNode } from '../../onnx/graph/node.js';
import { elementCount, tensorDims, tensorToIntegers } from '../../onnx/graph/tensor.js';
import type { NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import { walk } from '../../onnx/graph/walk.js';
import type { Decoder } from '../../decoder/decoder.js';
import { DataFlow, isRenaming } from '../../decoder/read/data-flow.js';
import { GATHERS, INDEX_OPERATORS } from '../../decoder/read/find-embedding.js';

/** A constant with an entry, or several in a row, for each token. */
export interface VocabularyTable {
  /** The value's name in the graph. */
  value: string;
  tensor: TensorProto;
  axis: number;
  /** Tokens that it has entries for. */
  rows: number;
}

export interface VocabularyPlaces {
  /** Each constant once, also where embedding and head share it. */
  tables: readonly VocabularyTable[];
  /** Shapes with the number of rows in them, and which of their entries that is. */
  shapes: readonly { value: string; tensor: TensorProto; entry: number; rows: number }[];
  /** Products whose attribute N is the number of rows. */
  counted: readonly { node: NodeProto; rows: number }[];
  /** Nodes whose results have rows for tokens. */
  nodes: ReadonlySet<NodeProto>;
}

/** Thrown within this file: why the places cannot be told. */
class NotCuttable extends Error {}

/** The places, or why they cannot be told, in one sentence. */
export function vocabularyPlaces(decoder: Decoder): VocabularyPlaces | string {
  try {
    const finder = new PlaceFinder(decoder);
    finder.findEmbeddings();
    finder.findHead();
    return finder.found();
  } catch (error) {
    if (error instanceof NotCuttable) return error.message;
    throw error;
  }
}

class PlaceFinder {
  readonly #flow: DataFlow;
  readonly #tables = new Map<string, VocabularyTable>();
  readonly #shapes = new Map<string, VocabularyPlaces['shapes'][number]>();
  readonly #counted: { node: NodeProto; rows: number }[] = [];
  readonly #nodes = new Set<NodeProto>();

  constructor(readonly decoder: Decoder) {
    this.#flow = new DataFlow(decoder.graph);
  }

  found(): VocabularyPlaces {
    for (const value of [...this.#tables.keys(), ...this.#shapes.keys()]) {
      const other = this.#flow.readers(value).find((node) => !this.#nodes.has(node));
      if (other) throw refusal(`the ${describeNode(other)} reads '${value}', too`);
    }
    return {
      tables: [...this.#tables.values()],
      shapes: [...this.#shapes.values()],
      counted: this.#counted,
      nodes: this.#nodes,
    };
  }

  /** Every table that the token ids take rows of; anything else that reads them would see other ids. */
  findEmbeddings(): void {
    const { inputs, embeddingRows } = this.decoder;
    const arranged = (value: string) =>
      this.#flow.readers(value).flatMap((node) => (isArranging(node, value) ? [node.output[0]!] : []));
    for (const ids of walk([inputs.tokens], arranged)) {
      for (const node of this.#flow.readers(ids)) {
        if (isArranging(node, ids)) continue;
        const isGather = GATHERS.has(node.opType) && node.input[1] === ids;
        const axis = intAttribute(node, node.opType === 'Gather' ? 'axis' : 'gather_axis', 0);
        if (!isGather || axis !== 0 || !this.#flow.isConstant(node.input[0]!)) {
          throw refusal(
            `the ${describeNode(node)} reads the token ids in another way than as rows of a table`,
          );
        }
        this.#nodes.add(node);
        this.#addBehind(node.input[0]!, 0, embeddingRows);
        if (node.opType === 'GatherBlockQuantized') this.#addQuantisation(node, [2, 3], embeddingRows);
      }
    }
  }

  findHead(): void {
    const { headProjection, vocabularySize: rows } = this.decoder;
    const { node, bias, biasUse, weight, weightUse } = headProjection;
    this.#nodes.add(node);
    this.#nodes.add(weightUse.node);
    switch (node.opType) {
      case 'MatMul':
      case 'Gemm':
      case 'FusedMatMul':
        this.#addBehind(node.input[1]!, intAttribute(node, 'transB', 0) === 0 ? 1 : 0, rows);
        break;
      case 'MatMulNBits':
      case 'MatMulBnb4':
        this.#counted.push({ node, rows });
        this.#addBehind(node.input[1]!, 0, rows);
        this.#addQuantisation(node, node.opType === 'MatMulNBits' ? [2, 3] : [2], rows);
        break;
      case 'MatMulInteger':
        this.#addBehind(node.input[1]!, 1, rows);
        this.#addVectors([node.input[3], weight], rows);
        break;
      case 'MatMulIntegerToFloat':
        this.#addBehind(node.input[1]!, 1, rows);
        this.#addVectors([node.input[3], node.input[5]], rows);
        break;
      case 'DynamicQuantizeMatMul':
        this.#addBehind(node.input[1]!, 1, rows);
        this.#addVectors([node.input[2], node.input[3]], rows);
        break;
      default:
        throw refusal(
          `the head ends in the ${describeNode(node)}, of which it is not known what belongs to a token`,
        );
    }
    if (bias !== undefined && biasUse) {
      this.#nodes.add(biasUse.node);
      this.#addVectors([bias], rows);
    }
    this.#checkBehind(node, rows);
  }

  /** What follows the head's product may name its width in shapes, but hold nothing more for each token. */
  #checkBehind(product: NodeProto, rows: number): void {
    for (const node of this.#flow.dependents(product.output)) {
      this.#nodes.add(node);
      for (const value of node.input) {
        const tensor = this.decoder.graph.constant(value);
        if (!tensor || this.#tables.has(value)) continue;
        if (node.opType === 'Reshape' || node.opType === 'Expand' || node.opType === 'Concat') {
          this.#addShape(value, tensor, rows);
        } else if (tensorDims(tensor).includes(rows)) {
          throw refusal(`the ${describeNode(node)} behind the head has numbers of its own for each token`);
        }
      }
      const other = node.output.find((output) => this.decoder.graph.isOutput(output));
      if (other !== undefined && other !== this.decoder.logits) {
        throw refusal(`the output '${other}' is computed from the logits`);
      }
    }
  }

  #addShape(value: string, tensor: TensorProto, rows: number): void {
    const entries = tensorToIntegers(tensor, this.decoder.model.folder);
    const entry = entries.lastIndexOf(rows);
    if (entry >= 0) this.#shapes.set(value, { value, tensor, entry, rows });
  }

  /** The table behind a value, through what moves or dequantises it. @param axis of the value that tokens are along */
  #addBehind(value: string, axis: number, rows: number): void {
    const { graph } = this.decoder;
    const tensor = graph.constant(value);
    if (tensor) {
      this.#addTable(value, tensor, axis, rows);
      return;
    }
    const node = graph.producer(value);
    if (!node) throw refusal(`'${value}' is no table`);
    this.#nodes.add(node);
    if (isRenaming(node)) this.#addBehind(node.input[0]!, axis, rows);
    else if (node.opType === 'Transpose' && (intsAttribute(node, 'perm') ?? [1, 0]).join() === '1,0')
      this.#addBehind(node.input[0]!, 1 - axis, rows);
    else if (node.opType === 'DequantizeLinear') this.#addDequantised(node, axis, rows);
    else if (node.opType === 'Reshape' && axis === 0) this.#addReshaped(node, rows);
    else throw refusal(`its table goes through the ${describeNode(node)}`);
  }

  /** Scales and zero points are one for all, one a place along an axis, or one a block. */
  #addDequantised(node: NodeProto, axis: number, rows: number): void {
    this.#addBehind(node.input[0]!, axis, rows);
    for (const value of node.input.slice(1)) {
      const tensor = value === '' ? undefined : this.decoder.graph.constant(value);
      const dims = tensor ? tensorDims(tensor) : [];
      if (!tensor || elementCount(dims) === 1) continue;
      const isAlong = dims.length === 1 && (intAttribute(node, 'axis', 1) + 2) % 2 === axis;
      if (isAlong) this.#addTable(value, tensor, 0, rows);
      else if (dims.length === 2) this.#addTable(value, tensor, axis, rows);
    }
  }

  #addReshaped(node: NodeProto, rows: number): void {
    const value = node.input[1]!;
    const shape = this.decoder.graph.constant(value);
    if (!shape) throw refusal(`its table gets its shape from '${value}'`);
    const [first] = tensorToIntegers(shape, this.decoder.model.folder);
    if (first === rows) this.#shapes.set(value, { value, tensor: shape, entry: 0, rows });
    else if (first !== 0 && first !== -1) throw refusal(`the ${describeNode(node)} mixes rows of its table`);
    this.#addBehind(node.input[0]!, 0, rows);
  }

  #addQuantisation(node: NodeProto, places: readonly number[], rows: number): void {
    for (const place of places) {
      const value = node.input[place];
      if (value) this.#addBehind(value, 0, rows);
    }
  }

  /** Vectors with an entry a token; those with one entry for all are left. */
  #addVectors(values: readonly (string | undefined)[], rows: number): void {
    for (const value of values) {
      const tensor = value ? this.#flow.constantBehind(value) : undefined;
      if (!tensor || elementCount(tensorDims(tensor)) === 1) continue;
      this.#addBehind(value!, tensor.dims.length - 1, rows);
    }
  }

  #addTable(value: string, tensor: TensorProto, axis: number, rows: number): void {
    const dims = tensorDims(tensor);
    const before = this.#tables.get(value);
    if (before && (before.axis !== axis || before.rows !== rows)) {
      throw refusal(`the table '${value}' has tokens along two axes, or a different number of them`);
    }
    const size = dims[axis] ?? 0;
    if (size === 0 || size % rows !== 0) {
      throw refusal(`the table '${value}' [${dims.join(', ')}] does not have ${rows} rows`);
    }
    this.#tables.set(value, { value, tensor, axis, rows });
  }
}

function isArranging(node: NodeProto, value: string): boolean {
  return INDEX_OPERATORS.has(node.opType) && node.input[0] === value;
}

function refusal(reason: string): NotCuttable {
  return new NotCuttable(`The vocabulary of this model cannot be cut: ${reason}.`);
}
