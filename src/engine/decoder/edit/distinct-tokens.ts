/**
 * A decoder that computes what rows of tokens have in common once. Positions whose tokens are the same up to there have the
 * same values in all rows (a system prompt, a task's instructions), and nothing reads padding on the right. So the residual
 * stream holds each distinct token once, and rows are put together for what looks along them alone: attention,
 * convolutions, and whatever else is not known to make each token's values of that token's alone.
 */
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import { copyModel } from '../../onnx/file/model-file.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { DataType } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { valuesRead } from '../../onnx/graph/node.js';
import { Operators } from '../../onnx/graph/operators.js';
import { tensorDims, tensorToIntegers } from '../../onnx/graph/tensor.js';
import { declaredDims, makeValueInfo } from '../../onnx/graph/value-info.js';
import type { Decoder } from '../decoder.js';
import { DataFlow, readsShapeOnly } from '../read/data-flow.js';
import { isElementwise } from '../read/elementwise-operators.js';
import { asProjection } from '../read/projection-operators.js';
import { rereadDecoder } from '../read/read-decoder.js';

export const DISTINCT_INPUTS = {
  /** int64 [1, distinct tokens]: row * positions + position of each distinct token. */
  tokens: 'hopscotch.distinct_tokens',
  /** int64 [rows, positions]: which distinct token stands there; any where padding does. */
  places: 'hopscotch.distinct_places',
} as const;

/** Operators whose results depend on all tokens of a batch, padding included: they round by the largest value of all. */
const ACROSS_TOKENS = new Set(['DynamicQuantizeLinear', 'DynamicQuantizeMatMul']);

/** Whether tokens have the same values in all rows that are the same up to there, whatever else is in the batch. */
export function sharesTokens({ graph }: Pick<Decoder, 'graph'>): boolean {
  return !graph.nodes.some(({ opType }) => ACROSS_TOKENS.has(opType));
}

/**
 * A copy that takes `DISTINCT_INPUTS` too, and whose stream is [1, distinct tokens, hidden size] from the embedding to the
 * final norm; what it caches is by rows as before. The stream's values keep their names.
 * The decoder itself where `sharesTokens` does not hold.
 */
export function withDistinctTokens(decoder: Decoder): Decoder {
  if (!sharesTokens(decoder)) return decoder;
  const model = copyModel(decoder.model);
  const copy = rereadDecoder(model, decoder);
  const { graph } = copy;
  graph.addInput(makeValueInfo(DISTINCT_INPUTS.tokens, DataType.INT64, [1, 'distinct_tokens']));
  graph.addInput(makeValueInfo(DISTINCT_INPUTS.places, DataType.INT64, ['token_rows', 'token_positions']));
  // Declared shapes would say that values are as large as they were.
  graph.proto.valueInfo = [];
  new DistinctTokens(copy).spread();
  graph.sortNodes();
  return copy;
}

/** The distinct tokens' values by rows: [rows, positions, width] of [1, distinct tokens, width]. */
export function byRows(op: Operators, value: string): string {
  return op.gather(op.flatten(value, 2), DISTINCT_INPUTS.places, 0);
}

const NORMS = new Set(['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization']);
const REDUCTIONS = new Set(['ReduceMean', 'ReduceSum', 'ReduceSumSquare', 'ReduceL2', 'ReduceMax']);
const PRODUCTS = new Set(['MatMul', 'FusedMatMul', 'MatMulNBits', 'MatMulBnb4']);
const ALONG_WIDTH = new Set(['Softmax', 'LogSoftmax', 'Split', 'Concat']);

class DistinctTokens {
  readonly #graph: Graph;
  readonly #flow: DataFlow;
  readonly #op: Operators;
  /** Values [1, distinct tokens, width]. */
  readonly #distinct = new Set<string>();
  readonly #byRows = new Map<string, string>();

  constructor(readonly decoder: Decoder) {
    this.#graph = decoder.graph;
    this.#flow = new DataFlow(decoder.graph);
    this.#op = new Operators(decoder.graph, 'hopscotch.distinct');
  }

  spread(): void {
    // Norm and head come after: a loss is taken of some of the tokens.
    const head = this.#flow.dependents([this.decoder.finalNorm.input]);
    const nodes = this.#graph.nodes.filter((node) => !head.has(node));
    this.#begin(this.decoder.embedding);
    for (const value of this.#ends()) this.#gatherBefore(value);
    for (const node of this.#ordered(nodes)) this.#visit(node);
  }

  /** The embedding's result goes on under its name as distinct tokens. */
  #begin(embedding: string): void {
    const producer = this.#graph.producer(embedding)!;
    const rows = this.#graph.freshName(`${embedding}/rows`);
    const readers = this.#graph.consumers(embedding).filter((node) => !readsShapeOnly(node));
    this.#graph.renameOutput(producer, producer.output.indexOf(embedding), rows);
    const distinct = this.#op.name(this.#pick(rows), embedding);
    for (const reader of readers)
      reader.input.forEach((value, index) => {
        if (value === rows) this.#graph.setInput(reader, index, distinct);
      });
    this.#distinct.add(distinct);
  }

  /** What blocks add to the stream. */
  #ends(): string[] {
    return this.decoder.steps.flatMap(({ blocks }) =>
      blocks.map(({ outputUse }) => outputUse.node.input[outputUse.index]!),
    );
  }

  /**
   * Makes what a block adds to the stream one of distinct tokens: from the value on behind which every node makes each
   * token's values of that token's alone (the result of attention, before its product with a weight), or else at its end.
   */
  #gatherBefore(end: string): void {
    const stream = new Set([this.decoder.embedding, ...this.decoder.steps.map(({ output }) => output)]);
    const fronts = new Set<string>();
    const passed = new Set<NodeProto>();
    const pending = [end];
    for (const value of pending) {
      const node = stream.has(value) ? undefined : this.#graph.producer(value);
      if (!node || !this.#isTokenwise(node)) fronts.add(value);
      else if (!passed.has(node)) {
        passed.add(node);
        pending.push(...this.#tokenInputs(node));
      }
    }
    const [front, ...others] = fronts;
    // From the stream on all are distinct tokens' already.
    if (front === undefined || [...fronts].every((value) => stream.has(value))) return;
    if (others.length > 0) this.#replace(end, () => true);
    else this.#replace(front, (node) => front === end || passed.has(node));
  }

  #replace(value: string, isReader: (node: NodeProto) => boolean): void {
    if (this.#distinct.has(value)) return;
    const readers = new Set(
      this.#graph.consumers(value).filter((node) => isReader(node) && !readsShapeOnly(node)),
    );
    const picked = this.#pick(value);
    this.#graph.replaceUses(value, picked, (node) => !readers.has(node));
    this.#distinct.add(picked);
  }

  /** [1, distinct tokens, width] of a value by rows, [rows, positions, width]. */
  #pick(value: string): string {
    return this.#op.gather(this.#op.flatten(value, 2), DISTINCT_INPUTS.tokens, 0);
  }

  #visit(node: NodeProto): void {
    const own = valuesRead(node).filter((value) => this.#distinct.has(value));
    if (own.length === 0) return;
    if (this.#isTokenwise(node) && this.#tokenInputs(node).every((value) => this.#distinct.has(value))) {
      for (const output of node.output) if (output !== '') this.#distinct.add(output);
      return;
    }
    for (const value of own) {
      const rows = this.#rowsOf(value);
      this.#graph.replaceUses(value, rows, (other) => other !== node);
    }
  }

  #rowsOf(value: string): string {
    let rows = this.#byRows.get(value);
    if (rows === undefined) this.#byRows.set(value, (rows = byRows(this.#op, value)));
    return rows;
  }

  /** The nodes of before, in an order in which each comes after those it reads from. */
  #ordered(nodes: readonly NodeProto[]): NodeProto[] {
    const before = new Set(nodes);
    this.#graph.sortNodes();
    return this.#graph.nodes.filter((node) => before.has(node));
  }

  /** What a tokenwise node reads that differs from token to token. */
  #tokenInputs({ opType, input }: NodeProto): string[] {
    if (PRODUCTS.has(opType)) return input.slice(0, 1);
    return input.filter((value) => value !== '' && (opType === 'Concat' || !this.#isSameForAll(value)));
  }

  /** Whether a node makes each token's values of that token's alone, where all it reads is so or the same for all tokens. */
  #isTokenwise(node: NodeProto): boolean {
    const { opType, input } = node;
    if (valuesRead(node).length !== input.filter((value) => value !== '').length) return false;
    if (isElementwise(node)) return true;
    if (NORMS.has(opType)) return isWidth(intAttribute(node, 'axis', -1));
    if (PRODUCTS.has(opType)) return asProjection(this.#flow, node) !== undefined;
    if (ALONG_WIDTH.has(opType)) return isWidth(intAttribute(node, 'axis'));
    if (REDUCTIONS.has(opType)) return this.#reducesWidth(node);
    if (opType === 'Slice') return this.#integers(input[3])?.every(isWidth) ?? false;
    return false;
  }

  #reducesWidth(node: NodeProto): boolean {
    const axes = this.#integers(node.input[1]) ?? intsAttribute(node, 'axes');
    return axes !== undefined && axes.every(isWidth) && intAttribute(node, 'keepdims', 1) === 1;
  }

  #integers(value: string | undefined): number[] | undefined {
    const tensor = value === undefined ? undefined : this.#graph.constant(value);
    return tensor && tensorToIntegers(tensor, undefined);
  }

  /** Constants, and inputs of a fixed size, that are the same for all tokens: [width] or [1, 1, width] at the most. */
  #isSameForAll(value: string): boolean {
    const tensor = this.#graph.constant(value);
    if (tensor) return isVector(tensorDims(tensor));
    const input = this.#graph.input(value);
    if (input) return isVector(declaredDims(input) ?? [undefined, undefined]);
    const node = this.#graph.producer(value);
    return (
      node !== undefined &&
      isElementwise(node) &&
      node.input.every((source) => source === '' || this.#isSameForAll(source))
    );
  }
}

function isWidth(axis: number | undefined): boolean {
  return axis === -1 || axis === 2;
}

function isVector(dims: readonly (number | string | undefined)[]): boolean {
  return (
    dims.length <= 3 && dims.slice(0, -1).every((dim) => dim === 1) && typeof (dims.at(-1) ?? 1) === 'number'
  );
}
