/**
 * The last product of an MLP fitted anew, so that the neurons that stay make up for those that go: of all weights those
 * with which the product comes nearest to what it gave on the task, with a pull towards the weights as they are (ridge
 * regression). For the activations' second moments C, the kept neurons k and the removed ones r it is
 * W_k + W_r C_rk (C_kk + lambda I)^-1.
 */
import { solvePositive } from './cholesky.js';
import type { Moments } from './activation-moments.js';

/** Pulls that are tried, in parts of the mean square activation. */
const PULLS = [0.01, 0.03, 0.1, 0.3, 1] as const;

/** Where there are no rows to choose one on. */
const USUAL_PULL = 0.1;

export interface RefitTask {
  moments: Moments;
  /** [outputs, width]. */
  weight: Float32Array;
  /** Neurons that stay, ascending. */
  kept: readonly number[];
}

/**
 * @param pull in parts of the mean square activation
 * @returns [outputs, kept neurons]
 */
export function refitWeight({ moments, weight, kept }: RefitTask, pull: number): Float32Array {
  const { width, learnt, apart } = moments;
  const all = learnt.map((sum, at) => sum + apart[at]!);
  return fittedOn(all, { weight, width, kept }, pull);
}

/** The pull with which the product comes nearest to what it gave on the batches that were kept apart. */
export function choosePull({ moments, weight, kept }: RefitTask): number {
  const { width, learnt, apart, learntTokens, apartTokens } = moments;
  if (apartTokens === 0 || learntTokens === 0) return USUAL_PULL;
  const rows = { weight: someOutputs(weight, width), width, kept };
  let best: { pull: number; error: number } | undefined;
  for (const pull of PULLS) {
    const error = errorOn(apart, rows, fittedOn(learnt, rows, pull));
    if (!best || error < best.error) best = { pull, error };
  }
  return best!.pull;
}

/** A weight [outputs, width], or some rows of it. */
interface Rows {
  weight: Float32Array;
  width: number;
  kept: readonly number[];
}

/** Outputs by which pulls are told apart. */
const COMPARED_OUTPUTS = 64;

function someOutputs(weight: Float32Array, width: number): Float32Array {
  const outputs = weight.length / width;
  const each = Math.ceil(outputs / COMPARED_OUTPUTS);
  return weight.filter((_, at) => Math.floor(at / width) % each === 0);
}

/** @param sums second moments, times any number @returns [outputs, kept neurons] */
function fittedOn(sums: Float64Array, { weight, width, kept }: Rows, pull: number): Float32Array {
  const own = new Set(kept);
  const removed = Array.from({ length: width }, (_, at) => at).filter((neuron) => !own.has(neuron));
  const replaced = replacements(sums, width, kept, removed, pull);
  const count = kept.length;
  const fitted = new Float32Array((weight.length / width) * count);
  const row = new Float64Array(count);
  for (let output = 0; output * width < weight.length; output += 1) {
    const from = output * width;
    for (let at = 0; at < count; at += 1) row[at] = weight[from + kept[at]!]!;
    addReplacements(
      row,
      replaced,
      removed.map((neuron) => weight[from + neuron]!),
    );
    fitted.set(row, output * count);
  }
  return fitted;
}

/** Of each removed neuron a row: what of each kept one takes its place, [removed, kept]. */
function replacements(
  sums: Float64Array,
  width: number,
  kept: readonly number[],
  removed: readonly number[],
  pull: number,
): Float64Array {
  const matrix = chosen(sums, width, kept, kept);
  const count = kept.length;
  let trace = 0;
  for (let row = 0; row < count; row += 1) trace += matrix[row * count + row]!;
  // Neurons that are silent on the task have no moments: the pull must be more than nothing.
  const added = pull * (trace / count) + Number.MIN_VALUE;
  for (let row = 0; row < count; row += 1) matrix[row * count + row]! += added;
  const sides = chosen(sums, width, removed, kept);
  solvePositive(matrix, sides, count);
  return sides;
}

/** Rows and columns of a square matrix, one row after the other. */
function chosen(
  matrix: Float64Array,
  width: number,
  rows: readonly number[],
  columns: readonly number[],
): Float64Array {
  const result = new Float64Array(rows.length * columns.length);
  let at = 0;
  for (const row of rows) {
    const from = row * width;
    for (let column = 0; column < columns.length; column += 1)
      result[at + column] = matrix[from + columns[column]!]!;
    at += columns.length;
  }
  return result;
}

/** Adds rows, each times a factor, four in one go. */
function addReplacements(row: Float64Array, rows: Float64Array, factors: readonly number[]): void {
  const count = row.length;
  let place = 0;
  for (; place + 3 < factors.length; place += 4) {
    const f0 = factors[place]!;
    const f1 = factors[place + 1]!;
    const f2 = factors[place + 2]!;
    const f3 = factors[place + 3]!;
    const from = place * count;
    for (let at = 0; at < count; at += 1) {
      row[at]! +=
        f0 * rows[from + at]! +
        f1 * rows[from + count + at]! +
        f2 * rows[from + 2 * count + at]! +
        f3 * rows[from + 3 * count + at]!;
    }
  }
  for (; place < factors.length; place += 1) {
    for (let at = 0; at < count; at += 1) row[at]! += factors[place]! * rows[place * count + at]!;
  }
}

/** Squared distance, summed over tokens and outputs, between what the product gives and what it gave. */
function errorOn(sums: Float64Array, { weight, width, kept }: Rows, fitted: Float32Array): number {
  let error = 0;
  const difference = new Float64Array(width);
  for (let output = 0; output * width < weight.length; output += 1) {
    for (let at = 0; at < width; at += 1) difference[at] = -weight[output * width + at]!;
    for (let at = 0; at < kept.length; at += 1) difference[kept[at]!]! += fitted[output * kept.length + at]!;
    for (let one = 0; one < width; one += 1) {
      let sum = 0;
      for (let other = 0; other < width; other += 1) sum += sums[one * width + other]! * difference[other]!;
      error += sum * difference[one]!;
    }
  }
  return error;
}
