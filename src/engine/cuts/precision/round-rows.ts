/** Rows of weights in codes: scales by weighted least squares, codes by error feedback where the inputs are known. */
import type { Feedback } from './error-feedback.js';
import { blockScale, type CodeForm } from './round-block.js';

export interface RoundedRows {
  /** [rows, blocks * block]: codes around half of their range. */
  codes: Uint8Array;
  /** [rows, blocks] */
  scales: Float32Array;
}

/**
 * @param rows weights, each row blocks * block long, with zeros behind its inputs; changed on the way
 * @param feedback default: all inputs are the same, and each weight is rounded by itself
 */
export function roundRows(
  rows: readonly Float32Array[],
  form: CodeForm,
  feedback: Feedback | undefined,
): RoundedRows {
  const width = rows[0]!.length;
  const blocks = width / form.block;
  const codes = new Uint8Array(rows.length * width);
  const scales = new Float32Array(rows.length * blocks);
  const importance = feedback ? extended(feedback.costs, width) : new Float32Array(width).fill(1);
  for (const [index, row] of rows.entries()) {
    for (let block = 0; block < blocks; block += 1) {
      const start = block * form.block;
      const end = start + form.block;
      const scale = blockScale(row, importance, start, end, form);
      scales[index * blocks + block] = scale;
      roundBlock(row, start, end, scale, form.bits, codes, index * width, feedback);
    }
  }
  return { codes, scales };
}

function extended(costs: Float32Array, width: number): Float32Array {
  if (costs.length === width) return costs;
  const target = new Float32Array(width).fill(1);
  target.set(costs);
  return target;
}

function roundBlock(
  row: Float32Array,
  start: number,
  end: number,
  scale: number,
  bits: 4 | 8,
  codes: Uint8Array,
  offset: number,
  feedback: Feedback | undefined,
): void {
  const middle = 2 ** (bits - 1);
  const highest = 2 * middle - 1;
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let j = start; j < end; j += 1) {
    const code = Math.min(highest, Math.max(0, Math.round(row[j]! * inverse) + middle));
    codes[offset + j] = code;
    if (feedback && j < feedback.costs.length) passOn(row, j, row[j]! - scale * (code - middle), feedback);
  }
}

/** Takes an error at input j from the inputs behind it. */
function passOn(row: Float32Array, j: number, error: number, { group, shares }: Feedback): void {
  const first = j - (j % group);
  const from = j * group;
  for (let k = j + 1 - first; k < group; k += 1) row[first + k]! -= error * shares[from + k]!;
}
