/** How blocks are called: one, some, and of which kind. */
import type { Budget } from '../../schema/settings.js';
import type { KindChoice } from '../curve/kinds.js';
import { formatPercent } from '../format/numbers.js';

/** 'attention blocks', '4 MLP blocks', '1 block'. */
export function blocksWords(kind: KindChoice | undefined, count?: number): string {
  const name = { attention: 'attention ', mlp: 'MLP ', both: '' }[kind ?? 'both'];
  if (count === undefined) return `${name}blocks`;
  return `${count} ${name}${count === 1 ? 'block' : 'blocks'}`;
}

/** '4 blocks' or 'up to 2 % lost'. */
export function budgetWords(kind: KindChoice | undefined, budget: Budget): string {
  return budget.kind === 'blocks'
    ? blocksWords(kind, budget.blocks)
    : `up to ${formatPercent(budget.largestDrop)} lost`;
}

/** 'attention 3' as people read it: 'attention of layer 3'. */
export function blockWords(block: string): string {
  const [kind, layer] = block.split(' ');
  return `${kind === 'mlp' ? 'MLP' : kind} of layer ${layer}`;
}
