/** An order of the blocks in which each costs least beside those that went before it. */
import type { BlockName } from '../../../schema/blocks.js';
import { copyScales, type ScaleKey } from '../../decoder/scales.js';
import { candidateBlocks } from './candidates.js';
import { switchOff } from './off-blocks.js';
import { finite, type RoundContext, type SearchContext } from './selection-strategy.js';
import type { SkipLosses } from './skip-losses.js';

/** Candidates that are tried beside others: those that came nearest. */
export const NEAREST = 12;

export interface OneByOne {
  context: SearchContext;
  losses: SkipLosses;
  /** Scales that all begin from. */
  start: ReadonlyMap<ScaleKey, Float32Array>;
  /** What each block costs alone; absent: that is tried first. */
  rises?: ReadonlyMap<BlockName, number>;
  /** Moves the scales once a block went. */
  recover?: (scales: Map<ScaleKey, Float32Array>, off: readonly BlockName[]) => Promise<void>;
  onCandidate: RoundContext['onCandidate'];
}

/** @returns all blocks that may go: the contested ones as they went, the others by what they cost when last tried */
export async function orderOneByOne({
  context: { decoder, kinds, contested },
  losses,
  start,
  rises: alone,
  recover,
  onCandidate,
}: OneByOne): Promise<BlockName[]> {
  const scales = copyScales(start);
  const order: BlockName[] = [];
  const rises = new Map(alone);
  const costOf = (block: BlockName) => rises.get(block) ?? 0;
  const nearest = () => candidateBlocks(decoder, kinds, order).toSorted((a, b) => costOf(a) - costOf(b));
  while (order.length < contested) {
    const all = nearest();
    const tried = order.length === 0 ? all : all.slice(0, NEAREST);
    if (tried.length === 0) break;
    if (order.length > 0 || !alone) {
      const base = await losses.of(scales);
      const off = order.length;
      const without = await losses.without(scales, tried, (block, look) =>
        onCandidate(block, { ...look, off }),
      );
      for (const [block, loss] of without) rises.set(block, finite(loss - base));
    }
    const block = tried.reduce((a, b) => (costOf(b) < costOf(a) ? b : a));
    switchOff(decoder, scales, block);
    order.push(block);
    await recover?.(scales, order);
  }
  return [...order, ...nearest()];
}
