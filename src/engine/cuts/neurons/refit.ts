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
  const { width, learnt, apart, learntTokens, apartTokens } = moments;
  const tokens = learntTokens + apartTokens;
  const removed = others(kept, width);
  const all = (at: number) => (learnt[at]! + apart[at]!) / tokens;
  const replaced = replacements(all, width, kept, removed, pull);
  return withReplacements(weight, width, kept, removed, replaced);
}

/** The pull with which the product comes nearest to what it gave on the batches that were kept apart. */
export function choosePull({ moments, weight, kept }: RefitTask): number {
  const { width, learnt, apart, learntTokens, apartTokens } = moments;
  if (apartTokens === 0 || learntTokens === 0) return USUAL_PULL;
  const removed = others(kept, width);
  const importance = outputProducts(weight, width, removed);
  let best: { pull: number; error: number } | undefined;
  for (const pull of PULLS) {
    const replaced = replacements((at) => learnt[at]! / learntTokens, width, kept, removed, pull);
    const error = errorOf(apart, width, kept, removed, replaced, importance);
    if (!best || error < best.error) best = { pull, error };
  }
  return best!.pull;
}

function others(kept: readonly number[], width: number): number[] {
  const own = new Set(kept);
  return Array.from({ length: width }, (_, at) => at).filter((neuron) => !own.has(neuron));
}

/** Of each removed neuron a row: what of each kept one takes its place, [removed, kept]. */
function replacements(
  moment: (at: number) => number,
  width: number,
  kept: readonly number[],
  removed: readonly number[],
  pull: number,
): Float64Array {
  const count = kept.length;
  const matrix = new Float64Array(count * count);
  let trace = 0;
  kept.forEach((neuron, row) => {
    kept.forEach((other, column) => (matrix[row * count + column] = moment(neuron * width + other)));
    trace += matrix[row * count + row]!;
  });
  // Neurons that are silent on the task have no moments: the pull must be more than nothing.
  const added = pull * (trace / count) + Number.MIN_VALUE;
  for (let row = 0; row < count; row += 1) matrix[row * count + row]! += added;
  const sides = new Float64Array(removed.length * count);
  removed.forEach((neuron, row) => {
    kept.forEach((other, column) => (sides[row * count + column] = moment(neuron * width + other)));
  });
  solvePositive(matrix, sides, count);
  return sides;
}

function withReplacements(
  weight: Float32Array,
  width: number,
  kept: readonly number[],
  removed: readonly number[],
  replaced: Float64Array,
): Float32Array {
  const outputs = weight.length / width;
  const count = kept.length;
  const fitted = new Float32Array(outputs * count);
  const row = new Float64Array(count);
  for (let output = 0; output < outputs; output += 1) {
    kept.forEach((neuron, at) => (row[at] = weight[output * width + neuron]!));
    removed.forEach((neuron, place) => {
      const factor = weight[output * width + neuron]!;
      const from = place * count;
      for (let at = 0; at < count; at += 1) row[at]! += factor * replaced[from + at]!;
    });
    fitted.set(row, output * count);
  }
  return fitted;
}

/** Products of what each two removed neurons are multiplied with, over the outputs, [removed, removed]. */
function outputProducts(weight: Float32Array, width: number, removed: readonly number[]): Float64Array {
  const products = new Float64Array(removed.length ** 2);
  for (let start = 0; start < weight.length; start += width) {
    removed.forEach((neuron, row) => {
      const own = weight[start + neuron]!;
      removed.forEach((other, column) => {
        products[row * removed.length + column]! += own * weight[start + other]!;
      });
    });
  }
  return products;
}

/** Squared distance, summed over tokens and outputs, between what the product gives and what it gave. */
function errorOf(
  moments: Float64Array,
  width: number,
  kept: readonly number[],
  removed: readonly number[],
  replaced: Float64Array,
  importance: Float64Array,
): number {
  // Each row is what is put in the place of a removed neuron, less the neuron itself.
  const rows = removed.map((neuron, place) => {
    const row = new Float64Array(width);
    kept.forEach((other, at) => (row[other] = replaced[place * kept.length + at]!));
    row[neuron] = -1;
    return row;
  });
  let error = 0;
  const product = new Float64Array(width);
  rows.forEach((row, place) => {
    product.fill(0);
    for (let neuron = 0; neuron < width; neuron += 1) {
      const factor = row[neuron]!;
      if (factor === 0) continue;
      const from = neuron * width;
      for (let at = 0; at < width; at += 1) product[at]! += factor * moments[from + at]!;
    }
    rows.forEach((other, column) => {
      let sum = 0;
      for (let at = 0; at < width; at += 1) sum += product[at]! * other[at]!;
      error += sum * importance[place * removed.length + column]!;
    });
  });
  return error;
}
