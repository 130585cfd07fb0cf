import type { ModelDescription } from '../../../schema/blocks.js';
import { bytesWithCuts } from '../../../schema/cut-sizes.js';
import type { Aim } from '../../../schema/cuts.js';

type Goal = Aim['goal'];

/** Where an aim stands before it is changed: a size in reach of 4 bits, half again as fast, 2 % worse. */
export function firstGoal(model: ModelDescription, kind: Goal['kind']): Goal {
  switch (kind) {
    case 'size': {
      const inReach = Math.min(1.05 * bytesWithCuts(model, { precision: 'q4' }), 0.8 * model.fileBytes);
      return { kind, bytes: Math.max(1, Math.ceil(inReach / 1e6)) * 1e6 };
    }
    case 'speed':
      return { kind, times: 1.5 };
    case 'quality':
      return { kind, largestDrop: 0.02 };
  }
}
