/** Attention masks and positions: causal, padded, rotary, learned, alibi. */
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import type { DecoderStyle } from './decoder-style.js';
import type { GraphWriter } from './graph-writer.js';

const LOWEST = -3.4028234663852886e38;

/**
 * float32 [rows, 1, positions, keys]: 0 where a position may attend, the lowest number elsewhere.
 * @param window keys that a position sees, or 0 for all before it
 */
export function causalMask(
  writer: GraphWriter,
  attentionMask: string,
  rows: string,
  positions: string,
  length: string,
  window = 0,
): string {
  const queries = writer.op('Range', [writer.op('Sub', [length, positions]), length, writer.int(1)]);
  const keys = writer.op('Range', [writer.int(0), length, writer.int(1)]);
  const column = writer.op('Reshape', [queries, writer.ints(-1, 1)]);
  let hidden = writer.op('Greater', [keys, column]);
  if (window > 0) {
    const last = writer.op('Sub', [column, writer.int(window - 1)]);
    hidden = writer.op('Or', [hidden, writer.op('Less', [keys, last])]);
  }
  const causal = writer.op('Mul', [
    writer.op('Cast', [hidden], { to: DataType.FLOAT }),
    writer.float(LOWEST),
  ]);
  const wide = writer.unsqueeze(writer.unsqueeze(causal, 0), 1);
  const expanded = writer.op('Expand', [wide, writer.shape(rows, 1, 1, 1)]);
  const given = writer.unsqueeze(writer.unsqueeze(attentionMask, 1), 2);
  const sum = writer.op('Add', [expanded, writer.op('Cast', [given], { to: DataType.FLOAT })]);
  const padded = writer.op('Equal', [sum, writer.float(0)]);
  return writer.op('Where', [padded, writer.float(LOWEST), expanded]);
}

/** Cosines and sines of positions, float32 [rows, positions, size]; Optimum's subgraph. */
export function rotaryTables(
  writer: GraphWriter,
  positionIds: string,
  rows: string,
  size: number,
): { cos: string; sin: string } {
  const frequencies = Array.from({ length: size / 2 }, (_, index) => 10000 ** ((-2 * index) / size));
  const table = writer.floats([1, size / 2, 1], frequencies);
  const expanded = writer.op('Expand', [table, writer.shape(rows, size / 2, 1)]);
  const positions = writer.op('Cast', [writer.unsqueeze(positionIds, 1)], { to: DataType.FLOAT });
  const angles = writer.op('Transpose', [writer.op('MatMul', [expanded, positions])], { perm: [0, 2, 1] });
  const both = writer.op('Concat', [angles, angles], { axis: -1 });
  return { cos: writer.op('Cos', [both]), sin: writer.op('Sin', [both]) };
}

/** Position embeddings [1, positions, hidden] for positions from `past` on. */
export function learnedPositions(
  writer: GraphWriter,
  past: string,
  positions: string,
  hidden: number,
): string {
  const table = writer.weight('transformer.wpe.weight', [64, hidden], 0.5);
  const range = writer.op('Range', [past, writer.op('Add', [past, positions]), writer.int(1)]);
  return writer.op('Gather', [table, writer.unsqueeze(range, 0)], { axis: 0 });
}

/** The same for positions that are the mask's running sum, from the table's third row on (OPT). */
export function positionsByMask(
  writer: GraphWriter,
  attentionMask: string,
  past: string,
  hidden: number,
): string {
  const table = writer.weight('model.decoder.embed_positions.weight', [66, hidden], 0.4);
  const counts = writer.op('Mul', [writer.op('CumSum', [attentionMask, writer.int(1)]), attentionMask]);
  const start = writer.op('Reshape', [past, writer.ints(1)]);
  const own = [writer.op('Sub', [counts, writer.int(1)]), start, writer.ints(1000), writer.ints(1)];
  const positions = writer.op('Add', [writer.op('Slice', own), writer.int(2)]);
  return writer.op('Gather', [table, positions], { axis: 0 });
}

/** float32 [rows, heads, 1, keys]: a slope a head times the number of keys before, by the mask (BLOOM). */
export function alibi(writer: GraphWriter, attentionMask: string, heads: number): string {
  const mask = writer.op('Cast', [attentionMask], { to: DataType.FLOAT });
  const counts = writer.op('Sub', [writer.op('CumSum', [mask, writer.int(1)]), writer.float(1)]);
  const positions = writer.unsqueeze(writer.unsqueeze(writer.op('Mul', [counts, mask]), 1), 2);
  const slopes = Array.from({ length: heads }, (_, index) => 2 ** ((-8 * (index + 1)) / heads));
  return writer.op('Mul', [writer.floats([1, heads, 1, 1], slopes), positions]);
}

/** Whether the style takes position ids as an input. */
export function wantsPositionIds(style: DecoderStyle): boolean {
  return style.positions === 'rotary';
}
