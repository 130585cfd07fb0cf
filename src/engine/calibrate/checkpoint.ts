/** The state of a calibration: what every finished candidate and epoch has found, so that a killed run can go on. */
import * as v from 'valibot';
import { blockName, type BlockName } from '../../schema/blocks.js';
import { trainingEpoch } from '../../schema/report.js';
import { selectionRound } from '../../schema/runs.js';
import { numbersSchema } from './packed-numbers.js';

const numbersByKey = v.record(v.string(), numbersSchema);

const trainingState = v.object({
  epochs: v.array(trainingEpoch),
  best: v.object({ epoch: v.number(), heldoutLoss: v.number(), scales: numbersByKey }),
  /** What the next epoch starts from. */
  scales: numbersByKey,
  adam: v.object({ step: v.number(), first: numbersByKey, second: numbersByKey }),
  /** How often it began again with half the learning rate. */
  restarts: v.optional(v.number(), 0),
  finished: v.boolean(),
});
export type TrainingState = v.InferOutput<typeof trainingState>;

/** Choices of blocks held against each other: kept in the first round. */
const contest = v.object({
  /** For how many skipped blocks. */
  blocks: v.number(),
  /** Blocks in the order in which they go, by the name of what made the order. */
  orders: v.record(v.string(), v.array(blockName)),
  /** Loss on the validation rows after a little training, by the name of the order. */
  losses: v.record(v.string(), v.number()),
  /** What the training of the winner begins with: what it had learnt by then. */
  scales: v.optional(numbersByKey),
  winner: v.optional(v.string()),
  /** The winner's. */
  order: v.optional(v.array(blockName)),
});

const roundState = v.object({
  ...selectionRound.entries,
  /** Scales that the next round starts from, where the strategy carries them over. */
  scales: v.optional(numbersByKey),
  contest: v.optional(contest),
  /** By block: how its trial changed the scales that the round began with, where the next trial starts from that. */
  changes: v.optional(v.record(v.string(), numbersByKey)),
});
export type RoundState = v.InferOutput<typeof roundState>;

export const checkpointState = v.object({
  /** 1 was of another spelling of the scales' keys, 2 learnt own answers by cross-entropy. */
  version: v.literal(3),
  /** Hash of everything that decides the results; a run resumes only with the same. */
  fingerprint: v.string(),
  rounds: v.array(roundState),
  /** Final training by number of skipped blocks. */
  training: v.record(v.string(), trainingState),
});
export type CheckpointState = v.InferOutput<typeof checkpointState>;

/** What selection and training write their findings to; where it is kept is not their concern. */
export interface Checkpoint {
  readonly state: CheckpointState;
  /** Keeps the state as it is now; called after every candidate and every epoch. */
  save(): void;
}

export function emptyState(fingerprint: string): CheckpointState {
  return { version: 3, fingerprint, rounds: [], training: {} };
}

/** A checkpoint that is gone with the process. */
export function unsavedCheckpoint(): Checkpoint {
  return { state: emptyState(''), save: () => {} };
}

/** The blocks chosen so far, in the order of the rounds. */
export function chosenBlocks(state: Pick<CheckpointState, 'rounds'>): BlockName[] {
  return state.rounds.flatMap((round) => (round.chosen ? [round.chosen] : []));
}
