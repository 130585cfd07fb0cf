import type { Estimate } from '../../schema/values.js';
/** 95 % intervals of measured figures. */

const Z = 1.959963984540054;

/** Wilson's score interval of a share (Wilson 1927). @param total at least 1 */
export function shareEstimate(hits: number, total: number): Estimate {
  const share = hits / total;
  const denominator = 1 + Z ** 2 / total;
  const centre = (share + Z ** 2 / (2 * total)) / denominator;
  const half = (Z / denominator) * Math.sqrt((share * (1 - share)) / total + Z ** 2 / (4 * total ** 2));
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** The ends of a share's interval within what a share can be. */
export function clampShare({ value, low, high }: Estimate): Estimate {
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}

/**
 * Mean over tokens, with an interval that treats the rows as the independent units (tokens of a row go together):
 * the standard error of a ratio of sums over rows, linearised.
 * @param sums one entry a row: the sum of the figure over its tokens
 * @param counts one entry a row: its number of tokens
 */
export function tokenMeanEstimate(sums: ArrayLike<number>, counts: ArrayLike<number>): Estimate {
  const rows = sums.length;
  let total = 0;
  let tokens = 0;
  for (let row = 0; row < rows; row += 1) {
    total += sums[row]!;
    tokens += counts[row]!;
  }
  const value = total / tokens;
  let squares = 0;
  for (let row = 0; row < rows; row += 1) squares += (sums[row]! - value * counts[row]!) ** 2;
  const error = rows > 1 ? Math.sqrt((squares * rows) / (rows - 1)) / tokens : Infinity;
  return { value, low: value - Z * error, high: value + Z * error };
}
