/** Which prompts run together, and what they begin with alike. */
import { commonTokens } from '../data/common-tokens.js';

type Prompt = readonly number[];

/** Tokens that prompts begin with alike, from which on they are read once: a run costs more than a few tokens. */
const SHARED_TOKENS = 4;

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

/**
 * How many tokens are read once, since all begin with them; the last one of the shortest prompt, which is answered, is not
 * among them.
 * @param readsOn whether what follows can be read at once, not token by token
 */
export function sharedBeginning(prompts: readonly Prompt[], readsOn: boolean): number {
  const shortest = Math.min(...prompts.map(({ length }) => length));
  const shared = Math.min(commonTokens(prompts), shortest - 1);
  // Token by token, a long rest would take longer than all at once with its beginning.
  const most = readsOn ? Infinity : shared;
  return shared < SHARED_TOKENS || shortest - shared > most ? 0 : shared;
}
