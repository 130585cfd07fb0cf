/** Answers of several models side by side, as reports show them. */
import type { HeldoutRow } from '../../schema/results.js';

export interface ReportAnswers {
  /** Of the models, the first one being held against. */
  names: readonly string[];
  /** Worst first. */
  rows: readonly ReportRow[];
}

export interface ReportRow {
  line: number;
  prompt: string;
  expected?: string | undefined;
  /** By model; undefined where there is none. */
  answers: readonly (ReportAnswer | undefined)[];
}

interface ReportAnswer {
  text: string;
  right?: boolean | undefined;
  /** Whether it is the first model's. */
  same?: boolean | undefined;
}

export function heldoutAnswers(rows: readonly HeldoutRow[], names: readonly [string, string]): ReportAnswers {
  return {
    names,
    rows: rows.map(({ line, prompt, expected, original, slimmed, originalRight, slimmedRight, same }) => ({
      line,
      prompt,
      expected,
      answers: [
        { text: original, right: originalRight },
        { text: slimmed, right: slimmedRight, same },
      ],
    })),
  };
}
