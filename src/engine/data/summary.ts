/** Figures about encoded rows for the command line and the app: how long they are, and what was left out. */
import type { LengthStatistics } from '../../schema/results.js';
import type { ProblemCount } from '../../schema/problems.js';
import type { EncodedRow } from './encoded-row.js';
import { countProblems, type RowProblem } from './row-problems.js';

export interface DataSummary {
  prompts: LengthStatistics;
  responses: LengthStatistics;
  whole: LengthStatistics;
  problems: ProblemCount[];
}

/** Statistics of rows and their problems. */
export function summarise(rows: readonly EncodedRow[], problems: readonly RowProblem[]): DataSummary {
  return {
    prompts: lengthStatistics(rows.map((row) => row.responseStart)),
    responses: lengthStatistics(rows.map((row) => row.ids.length - row.responseStart)),
    whole: lengthStatistics(rows.map((row) => row.ids.length)),
    problems: countProblems(problems),
  };
}

/** Statistics of lengths; all zero for no rows. */
export function lengthStatistics(lengths: readonly number[], bins = 10): LengthStatistics {
  const sorted = lengths.toSorted((a, b) => a - b);
  const tokens = sorted.reduce((sum, length) => sum + length, 0);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return {
    rows: sorted.length,
    tokens,
    min: at(0),
    median: at(0.5),
    mean: sorted.length === 0 ? 0 : tokens / sorted.length,
    p90: at(0.9),
    max: at(1),
    histogram: histogram(sorted, bins),
  };
}

/** Bins of equal width that together cover all lengths; fewer than asked for if there are fewer lengths. */
function histogram(sorted: readonly number[], bins: number): LengthStatistics['histogram'] {
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return [];
  const width = Math.ceil((max - min + 1) / bins);
  const count = Math.ceil((max - min + 1) / width);
  const result = Array.from({ length: count }, (_, index) => ({
    from: min + index * width,
    to: min + (index + 1) * width - 1,
    rows: 0,
  }));
  for (const length of sorted) result[Math.floor((length - min) / width)]!.rows += 1;
  return result;
}
