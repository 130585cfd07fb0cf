/** The token embedding: a Gather on a 2-D weight (which may be quantised) whose indices are an integer graph input. */
import { UserError } from '../../../schema/errors.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { elementCount, tensorDims } from '../../onnx/graph/tensor.js';
import { declaredDims, declaredType } from '../../onnx/graph/value-info.js';
import { walk } from '../../onnx/graph/walk.js';
import { isRenaming, type DataFlow } from './data-flow.js';
import { takesEmbeddings } from './other-kinds.js';
import { EXPORT_ADVICE } from './unsupported.js';

export interface TokenEmbedding {
  /** The graph input with the token ids. */
  tokens: string;
  /** The rows of the table that belong to the tokens, as floats. */
  output: string;
  /** Rows of the table. */
  vocabulary: number;
}

/** Operators that may stand between the token ids and the embedding. */
export const INDEX_OPERATORS: ReadonlySet<string> = new Set([
  'Reshape',
  'Slice',
  'Cast',
  'Identity',
  'Unsqueeze',
  'Squeeze',
]);

/** com.microsoft.GatherBlockQuantized takes rows of a table quantised in blocks. */
export const GATHERS: ReadonlySet<string> = new Set(['Gather', 'GatherBlockQuantized']);

/** Operators that may stand between a table and the Gather, and keep its rows. */
const KEEPING_OPERATORS = new Set(['DequantizeLinear', 'Squeeze', 'Unsqueeze']);

/** @throws UserError if no integer input takes rows of an embedding */
export function findTokenEmbedding(flow: DataFlow): TokenEmbedding {
  const { graph } = flow;
  const integers = graph.inputs.filter((input) => isInteger(declaredType(input))).map((input) => input.name);
  const found = integers.flatMap((input) => embeddingsOf(flow, input));
  if (found.length === 0) throw noEmbedding(flow, integers);
  // Position ids may take rows of a table too: tokens are those whose table has a row for each logit, or more rows.
  const widths = new Set(graph.outputs.map((output) => declaredDims(output)?.at(-1)));
  const likelihood = (entry: TokenEmbedding) => (widths.has(entry.vocabulary) ? Infinity : entry.vocabulary);
  return found.reduce((best, entry) => (likelihood(entry) > likelihood(best) ? entry : best));
}

function embeddingsOf(flow: DataFlow, tokens: string): TokenEmbedding[] {
  const found: TokenEmbedding[] = [];
  const rearranged = (value: string) =>
    flow
      .readers(value)
      .flatMap((node) =>
        INDEX_OPERATORS.has(node.opType) && node.input[0] === value ? [node.output[0]!] : [],
      );
  for (const value of walk([tokens], rearranged)) {
    for (const node of flow.readers(value)) {
      if (!GATHERS.has(node.opType) || node.input[1] !== value) continue;
      const vocabulary = rowsOfTable(flow, node.input[0]!);
      if (vocabulary !== undefined) {
        found.push({ tokens, output: dequantised(flow, node.output[0]!), vocabulary });
      }
    }
  }
  return found;
}

/**
 * Rows of the 2-D table behind a value: in a float type or quantised, and where the head shares it, transposed or with
 * its blocks joined by a Reshape.
 */
export function rowsOfTable(flow: DataFlow, value: string): number | undefined {
  const { graph } = flow;
  let name = value;
  let isTransposed = false;
  for (;;) {
    const tensor = graph.constant(name);
    if (tensor) return tensor.dims.length === 2 ? tensorDims(tensor)[isTransposed ? 1 : 0] : undefined;
    const node = graph.producer(name);
    if (!node) return undefined;
    if (node.opType === 'Transpose') isTransposed = !isTransposed;
    else if (node.opType === 'Reshape') return isTransposed ? undefined : rowsOfReshaped(flow, node);
    else if (!isRenaming(node) && !KEEPING_OPERATORS.has(node.opType)) return undefined;
    name = node.input[0]!;
  }
}

/** A Reshape to two axes that leaves the first one as it is. */
function rowsOfReshaped(flow: DataFlow, node: NodeProto): number | undefined {
  const shape = flow.graph.constant(node.input[1]!);
  const table = flow.constantBehind(node.input[0]!);
  return shape && elementCount(tensorDims(shape)) === 2 && table ? tensorDims(table)[0] : undefined;
}

/** The rows as floats, where they are dequantised after they were taken. */
function dequantised(flow: DataFlow, rows: string): string {
  const [reader, ...more] = flow.readers(rows);
  return reader?.opType === 'DequantizeLinear' && more.length === 0 ? reader.output[0]! : rows;
}

function noEmbedding(flow: DataFlow, integers: readonly string[]): UserError {
  const embeddings = flow.graph.inputs.find(
    (input) => !isInteger(declaredType(input)) && declaredDims(input)?.length === 3,
  );
  if (embeddings) {
    return takesEmbeddings(embeddings.name);
  }
  const reader = integers.flatMap((input) => flow.readers(input))[0];
  const found = reader ? `the ${describeNode(reader)} was found` : 'the model has no integer input';
  return new UserError(
    `The model should begin with an embedding, a Gather that takes rows of a 2-D weight by the token ids, but ${found}; ${EXPORT_ADVICE}.`,
  );
}

function isInteger(type: DataType | undefined): boolean {
  return type === DataType.INT64 || type === DataType.INT32;
}
