/** Which cuts together reach an aim for the least loss, from what each of them costs alone. */
import type { DecoderDescription } from '../../../schema/blocks.js';
import { bytesWithCuts } from '../../../schema/cut-sizes.js';
import type { Precision } from '../../../schema/cuts.js';

/** A cut that was tried alone. */
export interface TriedCut<Setting> {
  setting: Setting;
  /** How much the loss rose on rows kept apart, in nats a token, before any training; at least 0. */
  loss: number;
  /** Time of a new token as a share of that without the cut; absent where no time is asked for. */
  time?: number;
}

/** What was tried of each kind; each list begins with nothing at all, which costs nothing. */
export interface TriedCuts {
  neurons: readonly TriedCut<number | undefined>[];
  precision: readonly TriedCut<Precision | undefined>[];
  /** Numbers of attention blocks that are skipped. */
  attention: readonly TriedCut<number>[];
}

export interface PlannedCuts {
  neurons: number | undefined;
  precision: Precision | undefined;
  attention: number;
  /** Foreseen: bytes of the weights, and the sum of what each cut costs alone. */
  bytes: number;
  loss: number;
  /** Foreseen: the product of what each cut leaves of the time of a new token. */
  time: number;
}

/**
 * All combinations are looked at: of those that reach the aim the one of the least loss, of equal ones the smallest.
 * Losses are taken to add up, and shares of the time to multiply, which is about so where they are small.
 * @returns undefined where even all cuts together do not
 */
export function planFor(
  description: DecoderDescription,
  tried: TriedCuts,
  reaches: (plan: PlannedCuts) => boolean,
): PlannedCuts | undefined {
  let best: PlannedCuts | undefined;
  for (const plan of combinations(description, tried)) {
    if (!reaches(plan)) continue;
    if (!best || plan.loss < best.loss || (plan.loss === best.loss && plan.bytes < best.bytes)) best = plan;
  }
  return best;
}

/** The smallest model of those whose cuts cost no more than a loss. There is always one: no cut at all. */
export function smallestWithin(
  description: DecoderDescription,
  tried: TriedCuts,
  largestLoss: number,
): PlannedCuts {
  const within = [...combinations(description, tried)].filter(({ loss }) => loss <= largestLoss);
  return within.reduce((best, plan) => (plan.bytes < best.bytes ? plan : best));
}

/** The least of the time of a new token that any of the cuts together leave. */
export function leastTime(description: DecoderDescription, tried: TriedCuts): number {
  return Math.min(...[...combinations(description, tried)].map(({ time }) => time));
}

function* combinations(description: DecoderDescription, tried: TriedCuts): Generator<PlannedCuts> {
  for (const neurons of tried.neurons) {
    for (const precision of tried.precision) {
      for (const attention of tried.attention) {
        const bytes = bytesWithCuts(description, {
          ...(neurons.setting !== undefined && { neurons: neurons.setting }),
          ...(precision.setting !== undefined && { precision: precision.setting }),
          attention: attention.setting,
        });
        yield {
          neurons: neurons.setting,
          precision: precision.setting,
          attention: attention.setting,
          bytes,
          loss: neurons.loss + precision.loss + attention.loss,
          time: (neurons.time ?? 1) * (precision.time ?? 1) * (attention.time ?? 1),
        };
      }
    }
  }
}
