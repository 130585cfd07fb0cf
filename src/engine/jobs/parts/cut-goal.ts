/** What an aim asks of a plan of cuts: which plan is taken, and what is said where none reaches it. */
import type { DecoderDescription } from '../../../schema/blocks.js';
import type { Aim } from '../../../schema/cuts.js';
import { ImpossibleError } from '../../../schema/errors.js';
import { formatBytes } from '../../evaluate/figures.js';
import { leastTime, planFor, smallestWithin, type PlannedCuts, type TriedCuts } from './cut-plan.js';

export interface GoalContext {
  /** Of the model that is cut. */
  description: DecoderDescription;
  /** The original's name, for messages. */
  name: string;
  /** Bytes of its files that are no weights and stay. */
  beside: number;
  /** Time of a new token of the model that is cut, as a share of the original's. */
  time: number;
  /** Whether tokens are dropped already, which counts as a cut. */
  hasFewerTokens: boolean;
}

/** @throws ImpossibleError if the goal is out of reach; says what could be reached */
export function planForGoal(goal: Aim['goal'], tried: TriedCuts, context: GoalContext): PlannedCuts {
  switch (goal.kind) {
    case 'size':
      return planForSize(goal.bytes, tried, context);
    case 'speed':
      return planForSpeed(goal.times, tried, context);
    case 'quality':
      return planForQuality(goal.largestDrop, tried, context);
  }
}

function planForSize(bytes: number, tried: TriedCuts, context: GoalContext): PlannedCuts {
  const { description, beside, name } = context;
  const plan = planFor(description, tried, (candidate) => candidate.bytes <= bytes - beside);
  if (plan) return plan;
  const least = smallestWithin(description, tried, Infinity).bytes + beside;
  throw new ImpossibleError(
    `${name} cannot be made as small as that with these cuts; about ${formatBytes(least)} can be reached. Ask for more bytes, or allow more kinds of cuts.`,
  );
}

function planForSpeed(times: number, tried: TriedCuts, context: GoalContext): PlannedCuts {
  const { description, name } = context;
  const plan = planFor(description, tried, ({ time }) => context.time * time <= 1 / times);
  if (plan) return plan;
  const most = 1 / (context.time * leastTime(description, tried));
  throw new ImpossibleError(
    `${name} cannot be made ${times} times as fast on this machine with these cuts; about ${most.toFixed(1)} times can be reached. Ask for less, or allow more kinds of cuts.`,
  );
}

function planForQuality(largestDrop: number, tried: TriedCuts, context: GoalContext): PlannedCuts {
  const { description, name, hasFewerTokens } = context;
  const plan = smallestWithin(description, tried, largestDrop);
  if (hasFewerTokens || plan.loss > 0 || plan.bytes < description.total.bytes) return plan;
  throw new ImpossibleError(
    `No cut of ${name} stays within a loss of ${(largestDrop * 100).toFixed(1)} % of the quality before any training; allow a larger loss, or choose a cut yourself to see what it costs.`,
  );
}
