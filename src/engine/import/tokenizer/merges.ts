/** Merges of a vocabulary whose tokens have scores: SentencePiece joins the two neighbours whose joint token scores best. */

/** As many tokens in a row can be cut in so many places; longer ones are texts of their own, not made by merging. */
const LONGEST = 256;

/**
 * All pairs of tokens that make a token, the best first.
 * @param scores one a token
 * @param isPart whether a token takes part in merging
 */
export function mergesOfScores(
  tokens: readonly string[],
  scores: readonly number[],
  isPart: (id: number) => boolean,
): [string, string][] {
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (isPart(id)) ids.set(token, id);
  const merges: { left: number; right: number; score: number; order: number }[] = [];
  for (const [token, id] of ids) {
    if (token.length < 2 || token.length > LONGEST) continue;
    let place = 0;
    for (const sign of token) {
      place += sign.length;
      const left = ids.get(token.slice(0, place));
      const right = ids.get(token.slice(place));
      if (left !== undefined && right !== undefined)
        merges.push({ left, right, score: scores[id]!, order: merges.length });
    }
  }
  merges.sort((a, b) => b.score - a.score || a.left - b.left || a.right - b.right);
  return merges.map(({ left, right }) => [tokens[left]!, tokens[right]!]);
}
