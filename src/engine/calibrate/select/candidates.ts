/** Which blocks may be skipped. */
import type { BlockKind, BlockName } from '../../../schema/blocks.js';
import { blockName, blocksOf, isSkippable, type Block, type Decoder } from '../../decoder/decoder.js';

/** Blocks of the kinds that may be skipped: no mixtures of experts or convolutions, and at least one attention block always stays. */
export function candidateBlocks(
  decoder: Decoder,
  kinds: readonly BlockKind[],
  skipped: readonly BlockName[],
): BlockName[] {
  const left = skippable(decoder)
    .map(blockName)
    .filter((block) => !skipped.includes(block));
  const attentionLeft = left.filter((block) => block.startsWith('attention')).length;
  return left.filter(
    (block) => kinds.some((kind) => block.startsWith(kind)) && (block.startsWith('mlp') || attentionLeft > 1),
  );
}

/** The largest budget that the model allows for blocks of these kinds. */
export function largestBudget(decoder: Decoder, kinds: readonly BlockKind[]): number {
  const counts = skippable(decoder).filter((block) => kinds.includes(block.kind));
  return counts.length - (kinds.includes('attention') ? 1 : 0);
}

function skippable(decoder: Decoder): Block[] {
  return blocksOf(decoder).filter(isSkippable);
}
