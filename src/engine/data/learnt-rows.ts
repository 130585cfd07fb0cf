/** Rows as a model's own answers are learnt from: by more tokens than the answers alone. */
import { commonTokens } from './common-tokens.js';
import type { EncodedRow } from './encoded-row.js';

/** Tokens of a prompt that are learnt from at the most, as a share of its response's. */
const PROMPT_SHARE = 0.5;

/** @param response tokens of a row's response */
export function mostPromptTokens(response: number): number {
  return Math.floor(PROMPT_SHARE * response);
}

/**
 * The rows with responses that begin earlier: a prompt's last tokens are learnt from, too, since the model passes over
 * them anyway and its distributions are known for them as for its answers. Not those that all rows begin with (a
 * template, a system prompt), and the one after them, which each row would teach alike; and not so many that they
 * outweigh the responses.
 */
export function withPrompts(rows: readonly EncodedRow[]): EncodedRow[] {
  const common = commonTokens(rows.map(({ ids }) => ids));
  return rows.map((row) => {
    const most = mostPromptTokens(row.ids.length - row.responseStart);
    return {
      ...row,
      responseStart: Math.min(row.responseStart, Math.max(common + 1, row.responseStart - most)),
    };
  });
}
