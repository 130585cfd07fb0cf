/** What a model without some of its blocks saves, from its description. */
import type { ModelDescription } from '../../schema/blocks.js';
import type { BlockName } from '../../schema/blocks.js';
import { kindsOf, type KindChoice } from './kinds.js';

export interface Savings {
  bytes: number;
  /** Part of all weights. */
  share: number;
  cacheBytesPerToken: number | undefined;
  cacheShare: number | undefined;
}

export function savingsOf(model: ModelDescription, skipped: readonly BlockName[]): Savings {
  const blocks = model.blocks.filter(({ name }) => skipped.includes(name));
  const bytes = blocks.reduce((sum, block) => sum + block.bytes, 0);
  const whole = model.cacheBytesPerToken;
  const cache = whole && blocks.reduce((sum, block) => sum + (block.cacheBytesPerToken ?? 0), 0);
  return {
    bytes,
    share: model.total.bytes > 0 ? bytes / model.total.bytes : 0,
    cacheBytesPerToken: cache,
    cacheShare: whole && cache !== undefined ? cache / whole : undefined,
  };
}

/** What a number of blocks of the kinds in question will bring, on average: before it is known which. */
export function expectedSavings(model: ModelDescription, choice: KindChoice | undefined, blocks: number) {
  const known = kindsOf(choice)
    .map((kind) => model.savings[kind])
    .filter((entry) => entry !== undefined);
  const range = (pick: (entry: (typeof known)[number]) => number | undefined) => {
    const values = known.map((entry) => (pick(entry) ?? 0) * blocks);
    return { low: Math.min(1, ...values), high: Math.min(1, Math.max(0, ...values)) };
  };
  return {
    cache: range(({ cacheShare }) => cacheShare),
    file: range(({ share }) => share),
    compute: range(({ computeShare }) => computeShare),
  };
}

/** The most blocks of the kinds in question that the model lets be skipped. */
export function largestBudget(model: ModelDescription, choice: KindChoice | undefined): number {
  return kindsOf(choice).reduce((sum, kind) => sum + (model.savings[kind]?.largestBudget ?? 0), 0);
}
