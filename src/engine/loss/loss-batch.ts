/** Batches as the loss graph takes them: padded tokens, and the positions whose next token is a response token. */
import type { LossKind } from '../../schema/settings.js';
import type { Decoder } from '../decoder/decoder.js';
import { sharesTokens } from '../decoder/edit/distinct-tokens.js';
import { emptyCache, padRows, tokenFeeds } from '../runtime/decoder-feeds.js';
import type { Feeds } from '../runtime/session.js';
import { float32Tensor, int64Tensor } from '../runtime/tensors.js';
import { distinctTokens, type DistinctTokens } from './distinct-feeds.js';
import { LOSS_INPUTS } from './loss-values.js';

/** Token ids of prompt and response; the response begins at `responseStart`. */
export interface LossRow {
  ids: readonly number[];
  responseStart: number;
}

export interface LossBatch {
  /** For the decoder, and where the loss is taken. */
  feeds: Feeds;
  /** What loss graphs compute once for all rows. */
  distinct: DistinctTokens;
  /** What it was made of. */
  source: readonly LossRow[];
  rows: number;
  /** rows x positions: 1 for tokens, 0 for padding. */
  mask: Int32Array;
  /** Row that each response token belongs to; one entry a response token, rows in order. */
  rowOfToken: Int32Array;
  /** The response tokens themselves. */
  labels: Int32Array;
  /** Gives feeds of the original's distributions (divergence.ts), where they are known. */
  targets?: () => Feeds;
}

export function rowsIn(batches: readonly LossBatch[]): number {
  return batches.reduce((sum, { rows }) => sum + rows, 0);
}

/** Feeds of a batch for a decoder's model of a kind of loss. @throws RangeError if the original's distributions are asked for and missing */
export function batchFeeds(decoder: Decoder, batch: LossBatch, kind: LossKind): Feeds {
  const feeds = sharesTokens(decoder) ? { ...batch.feeds, ...batch.distinct.feeds } : batch.feeds;
  if (kind === 'cross-entropy') return feeds;
  if (!batch.targets) throw new RangeError("A batch needs the original's distributions for a divergence");
  return { ...feeds, ...batch.targets() };
}

/**
 * The loss is the mean over the batch's response tokens (docs/method.md, What is learnt from). Position t of a row predicts token t + 1,
 * so the last token of each row is only a label. Rows on both sides of a decoder's `rotaryBorder` would all be turned as
 * the longest is: `makeBatches` keeps them apart.
 * @throws RangeError if no row has a response token after its first token
 */
export function makeLossBatch(decoder: Decoder, rows: readonly LossRow[], padId: number): LossBatch {
  const block = padRows(
    rows.map((row) => row.ids.slice(0, -1)),
    padId,
  );
  const distinct = distinctTokens(block);
  const positions: number[] = [];
  const labels: number[] = [];
  const rowOfToken: number[] = [];
  rows.forEach((row, index) => {
    for (let token = Math.max(1, row.responseStart); token < row.ids.length; token += 1) {
      positions.push(index * block.positions + token - 1);
      labels.push(row.ids[token]!);
      rowOfToken.push(index);
    }
  });
  if (labels.length === 0) throw new RangeError('A batch needs at least one response token');
  const weights = new Float32Array(labels.length).fill(1 / labels.length);
  return {
    feeds: {
      ...tokenFeeds(decoder, block),
      ...emptyCache(decoder, rows.length),
      [LOSS_INPUTS.positions]: int64Tensor(positions, [positions.length]),
      [LOSS_INPUTS.labels]: int64Tensor(labels, [labels.length]),
      [LOSS_INPUTS.weights]: float32Tensor(weights, [weights.length]),
    },
    distinct,
    source: rows,
    rows: rows.length,
    mask: Int32Array.from(block.mask!),
    rowOfToken: Int32Array.from(rowOfToken),
    labels: Int32Array.from(labels),
  };
}
