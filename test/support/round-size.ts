/** The size of a round for strategies whose cost depends on none of the rest. */
import type { RoundSize } from '../../src/engine/calibrate/select/selection-strategy.js';

export function roundSize(size: Pick<RoundSize, 'candidates' | 'batches' | 'smallBatchShare'>): RoundSize {
  return { ...size, contested: 1, loss: 'cross-entropy' };
}
