/** Rows of weights in codes: scales by weighted least squares, codes by error feedback where the inputs are known. */
import type { Feedback } from './error-feedback.js';
import type { Multiplier } from './multiplier.js';
import { blockCode, type CodeForm } from './round-block.js';

export interface RoundedRows {
  /** [rows, width] */
  codes: Uint8Array;
  /** [rows, width / block] */
  scales: Float32Array;
  /** [rows, width / block] */
  zeros: Uint8Array;
}

/**
 * @param rows weights [rows, width], with zeros behind the inputs of each row; changed on the way
 * @param feedback default: all inputs are the same, and each weight is rounded by itself
 */
export async function roundRows(
  rows: Float32Array,
  width: number,
  form: CodeForm,
  feedback: Feedback | undefined,
  multiplier: Pick<Multiplier, 'multiply'>,
): Promise<RoundedRows> {
  const { block } = form;
  const count = rows.length / width;
  const rounded: RoundedRows = {
    codes: new Uint8Array(rows.length),
    scales: new Float32Array(rows.length / block),
    zeros: new Uint8Array(rows.length / block),
  };
  const importance = importanceOf(width, feedback);
  /** [width, rows] */
  const errors = new Float32Array(feedback ? rows.length : 0);
  const place: Place = { rows, width, count, errors, importance };
  for (let start = 0; start < width; start += block) {
    const shares = feedback?.shares[start / block];
    const first = feedback ? start - (start % feedback.group) : start;
    if (feedback && first < start) {
      const earlier = shares!.subarray(0, (start - first) * block);
      const inner = errors.subarray(first * count, start * count);
      takeFrom(place, start, block, await multiplier.multiply(earlier, inner, start - first));
    }
    roundBlock(place, start, form, shares?.subarray((start - first) * block), rounded);
  }
  return rounded;
}

/** Rows that are worked on together: their entries in a row of a transposed matrix are one line of a processor's cache. */
const LINE = 16;

interface Place {
  rows: Float32Array;
  width: number;
  count: number;
  errors: Float32Array;
  importance: Float32Array;
}

function importanceOf(width: number, feedback: Feedback | undefined): Float32Array {
  const importance = new Float32Array(width).fill(1);
  if (feedback) importance.set(feedback.costs);
  return importance;
}

/** @param corrections [block, rows] */
function takeFrom(
  { rows, width, count }: Place,
  start: number,
  block: number,
  corrections: Float32Array,
): void {
  for (let first = 0; first < count; first += LINE) {
    const end = Math.min(count, first + LINE);
    for (let j = 0; j < block; j += 1)
      for (let row = first; row < end; row += 1)
        rows[row * width + start + j]! -= corrections[j * count + row]!;
  }
}

/** @param shares of the block's inputs in errors of its own, [inputs, block] */
function roundBlock(
  { rows, width, count, errors, importance }: Place,
  start: number,
  form: CodeForm,
  shares: Float32Array | undefined,
  { codes, scales, zeros }: RoundedRows,
): void {
  const { bits, block } = form;
  const highest = 2 ** bits - 1;
  const known = shares ? shares.length / block : 0;
  /** [inputs, rows of a line] */
  const line = new Float32Array(known * LINE);
  for (let row = 0; row < count; row += 1) {
    const offset = row * width + start;
    const { scale, zero } = blockCode(rows, [offset, offset + block], importance, start, form);
    scales[offset / block] = scale;
    zeros[offset / block] = zero;
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let j = 0; j < block; j += 1) {
      const value = rows[offset + j]!;
      const nearest = Math.floor(value * inverse + zero + 0.5);
      const code = nearest < 0 ? 0 : nearest > highest ? highest : nearest;
      codes[offset + j] = code;
      if (j >= known) continue;
      const error = value - scale * (code - zero);
      line[j * LINE + (row % LINE)] = error;
      for (let k = j + 1; k < block; k += 1) rows[offset + k]! -= error * shares![j * block + k]!;
    }
    if (row % LINE === LINE - 1 || row === count - 1) writeLine(row - (row % LINE), row + 1);
  }

  function writeLine(first: number, end: number): void {
    for (let j = 0; j < known; j += 1)
      for (let row = first; row < end; row += 1)
        errors[(start + j) * count + row] = line[j * LINE + row - first]!;
  }
}
