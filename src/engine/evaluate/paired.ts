/** Statistics of two models on the same prompts: exact tests and intervals of paired figures (docs/method.md). */
import type { Estimate } from '../../schema/values.js';
import { shareEstimate } from './intervals.js';

/** Prompts by who was right. */
export interface PairedCounts {
  both: number;
  onlyFirst: number;
  onlyOther: number;
  neither: number;
}

/**
 * McNemar's test in its exact form: the two-sided probability of a split as uneven as a : b, or more so, where each
 * flip goes either way with probability 1/2. 1 where there are no flips.
 */
export function exactSignTest(a: number, b: number): number {
  const flips = a + b;
  const fewer = Math.min(a, b);
  let tail = 0;
  for (let hits = 0; hits <= fewer; hits += 1) tail += Math.exp(logChoose(flips, hits) - flips * Math.LN2);
  return Math.min(1, 2 * tail);
}

/**
 * Difference of two paired shares (the other's less the first's) with Newcombe's interval: Wilson's intervals of both
 * shares, squared and added with the correlation between the two (Newcombe 1998, Statistics in Medicine 17:2635-2650,
 * method 10). @returns undefined without a prompt
 */
export function pairedDifference(counts: PairedCounts): Estimate | undefined {
  const { both, onlyFirst, onlyOther, neither } = counts;
  const total = both + onlyFirst + onlyOther + neither;
  if (total === 0) return undefined;
  const first = shareEstimate(both + onlyFirst, total);
  const other = shareEstimate(both + onlyOther, total);
  const correlation = correlationOf(counts, total);
  const value = other.value - first.value;
  const down = [other.value - other.low, first.high - first.value] as const;
  const up = [other.high - other.value, first.value - first.low] as const;
  return {
    value,
    low: Math.max(-1, value - jointDistance(down, correlation)),
    high: Math.min(1, value + jointDistance(up, correlation)),
  };
}

function jointDistance([a, b]: readonly [number, number], correlation: number): number {
  return Math.sqrt(Math.max(0, a ** 2 - 2 * correlation * a * b + b ** 2));
}

/** Phi of the table, corrected for continuity where it is positive. */
function correlationOf({ both, onlyFirst, onlyOther, neither }: PairedCounts, total: number): number {
  const margins = (both + onlyFirst) * (onlyOther + neither) * (both + onlyOther) * (onlyFirst + neither);
  if (margins === 0) return 0;
  const cross = both * neither - onlyFirst * onlyOther;
  return (cross > 0 ? Math.max(0, cross - total / 2) : cross) / Math.sqrt(margins);
}

/**
 * Geometric mean of ratios with the interval of Student's t on their logarithms.
 * @param ratios each above 0 @returns undefined for fewer than two
 */
export function ratioEstimate(ratios: readonly number[]): Estimate | undefined {
  const mean = meanEstimate(ratios.map(Math.log));
  return mean && { value: Math.exp(mean.value), low: Math.exp(mean.low), high: Math.exp(mean.high) };
}

/** Mean with the interval of Student's t. @returns undefined for fewer than two values */
export function meanEstimate(values: readonly number[]): Estimate | undefined {
  const { length } = values;
  if (length < 2) return undefined;
  const value = values.reduce((sum, each) => sum + each, 0) / length;
  const squares = values.reduce((sum, each) => sum + (each - value) ** 2, 0);
  const half = studentQuantile(length - 1) * Math.sqrt(squares / (length - 1) / length);
  return { value, low: value - half, high: value + half };
}

const Z = 1.959963984540054;

/** Student's t at 97.5 %: exact for 1 and 2 degrees of freedom, else Hill's expansion (1970), to 1e-4 of it. */
function studentQuantile(freedom: number): number {
  if (freedom === 1) return 12.706204736174698;
  if (freedom === 2) return 4.302652729749464;
  const z2 = Z ** 2;
  const terms = [
    (z2 + 1) / 4,
    ((5 * z2 + 16) * z2 + 3) / 96,
    (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
    ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92_160,
  ];
  return Z * terms.reduce((sum, term, power) => sum + term / freedom ** (power + 1), 1);
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let each = 1; each <= k; each += 1) sum += Math.log(n - k + each) - Math.log(each);
  return sum;
}
