/** Which prompts run together, and what they begin with alike. */
import { commonTokens } from '../data/common-tokens.js';

type Prompt = readonly number[];

/**
 * Prompts of similar length run together: the longest ones are read while the others are answered already.
 * @returns places of prompts
 */
export function promptBatches(
  prompts: readonly Prompt[],
  batchRows: number,
  maxNewTokens: number,
): number[][] {
  const order = [...prompts.keys()].toSorted((a, b) => prompts[a]!.length - prompts[b]!.length);
  const batches: number[][] = [];
  for (const prompt of order) {
    const current = batches.at(-1);
    const longer = current ? prompts[prompt]!.length - prompts[current[0]!]!.length : 0;
    // More steps than that would cost as much as a batch of its own.
    if (current && current.length < batchRows && longer <= maxNewTokens / 2) current.push(prompt);
    else batches.push([prompt]);
  }
  return batches;
}

/** How many tokens all begin with; the last one of the shortest prompt, which is answered, is not among them. */
export function sharedBeginning(prompts: readonly Prompt[]): number {
  const shortest = Math.min(...prompts.map(({ length }) => length));
  return Math.min(commonTokens(prompts), shortest - 1);
}
