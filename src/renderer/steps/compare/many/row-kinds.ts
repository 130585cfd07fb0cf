/** Rows of a comparison by what their answers are like, the first model's against another's. */
import type { ComparedRow } from '../../../../schema/comparison.js';

export const ROW_KINDS = ['all', 'differs', 'lost', 'gained', 'wrong', 'cut'] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** @param other place of the model that is held against the first */
export function isOfKind({ answers }: ComparedRow, kind: RowKind, other: number): boolean {
  const [first, second] = [answers[0], answers[other]];
  if (!first || !second) return false;
  switch (kind) {
    case 'all':
      return true;
    case 'differs':
      return second.same === false;
    case 'lost':
      return first.right === true && second.right === false;
    case 'gained':
      return first.right === false && second.right === true;
    case 'wrong':
      return answers.every((answer) => answer?.right === false);
    case 'cut':
      return first.cut || second.cut;
  }
}

/** Kinds that come into question, with how many rows each has. */
export function rowKinds(
  rows: readonly ComparedRow[],
  other: number,
): { kind: RowKind; rows: ComparedRow[] }[] {
  const hasExpected = rows.some(({ expected }) => expected !== undefined);
  return ROW_KINDS.filter((kind) => hasExpected || !['lost', 'gained', 'wrong'].includes(kind)).map(
    (kind) => ({ kind, rows: rows.filter((row) => isOfKind(row, kind, other)) }),
  );
}
