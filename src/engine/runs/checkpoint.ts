/** The state of a calibration on disk: after every candidate and every epoch, so that a killed run can go on. */
import { existsSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { BlockName } from '../decoder/decoder.js';
import { UserError } from '../../schema/errors.js';
import { writeFileAtomically } from './atomic-file.js';
import { numbersSchema, packNumbers } from './packed-numbers.js';

const blockNameSchema = v.custom<BlockName>(
  (value) => typeof value === 'string' && /^(attention|mlp) \d+$/.test(value),
  'a block name such as "attention 3"',
);
const numbersByKey = v.record(v.string(), numbersSchema);

const adamSchema = v.object({ step: v.number(), first: numbersByKey, second: numbersByKey });

const epochSchema = v.object({
  epoch: v.number(),
  /** Mean over the epoch's batches; null for epoch 0, before any training. */
  trainingLoss: v.nullable(v.number()),
  /** Mean over the held-out response tokens. */
  heldoutLoss: v.number(),
});

const trainingSchema = v.object({
  epochs: v.array(epochSchema),
  best: v.object({ epoch: v.number(), heldoutLoss: v.number(), scales: numbersByKey }),
  /** What the next epoch starts from. */
  scales: numbersByKey,
  adam: adamSchema,
  /** How often it began again with half the learning rate. */
  restarts: v.optional(v.number(), 0),
  finished: v.boolean(),
});

const roundSchema = v.object({
  /** What decides by candidate, in the order tried: a mean loss, for some strategies with more in it. */
  losses: v.record(v.string(), v.number()),
  /** Where it has: how much the loss alone is above the original's on the same rows. */
  rises: v.optional(v.record(v.string(), v.number())),
  chosen: v.optional(blockNameSchema),
  /** Scales that the next round starts from, where the strategy carries them over. */
  scales: v.optional(numbersByKey),
  /** By block: how its trial changed the scales that the round began with, where the next trial starts from that. */
  changes: v.optional(v.record(v.string(), numbersByKey)),
});

const checkpointSchema = v.object({
  version: v.literal(1),
  /** Hash of everything that decides the results; a run resumes only with the same. */
  fingerprint: v.string(),
  rounds: v.array(roundSchema),
  /** Final training by number of skipped blocks. */
  training: v.record(v.string(), trainingSchema),
});

export type TrainingEpoch = v.InferOutput<typeof epochSchema>;
export type TrainingState = v.InferOutput<typeof trainingSchema>;
export type SelectionRound = v.InferOutput<typeof roundSchema>;
export type CheckpointState = v.InferOutput<typeof checkpointSchema>;

export class Checkpoint {
  readonly #file: string | undefined;
  readonly state: CheckpointState;

  private constructor(file: string | undefined, state: CheckpointState) {
    this.#file = file;
    this.state = state;
  }

  /** A checkpoint that lives in memory only. */
  static inMemory(): Checkpoint {
    return new Checkpoint(undefined, emptyState(''));
  }

  /**
   * Opens the file, or starts afresh if there is none.
   * @throws UserError if the file is damaged or belongs to a run with other settings, model or data
   */
  static open(file: string, fingerprint: string): Checkpoint {
    if (!existsSync(file)) return new Checkpoint(file, emptyState(fingerprint));
    const state = readCheckpoint(file);
    if (state.fingerprint !== fingerprint) {
      throw new UserError(
        `The checkpoint ${file} was made with other settings, another model or other data; start a new run, or resume with the same.`,
      );
    }
    return new Checkpoint(file, state);
  }

  save(): void {
    if (this.#file !== undefined) writeFileAtomically(this.#file, JSON.stringify(this.state, packNumbers));
  }
}

/** @throws UserError if the file is not a readable checkpoint */
export function readCheckpoint(file: string): CheckpointState {
  let data: unknown;
  try {
    data = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new UserError(`The checkpoint ${file} is not readable; delete the run and start it again.`);
  }
  const result = v.safeParse(checkpointSchema, data);
  if (!result.success) {
    throw new UserError(
      `The checkpoint ${file} is damaged (${result.issues[0].message}); start the run again.`,
    );
  }
  return result.output;
}

function emptyState(fingerprint: string): CheckpointState {
  return { version: 1, fingerprint, rounds: [], training: {} };
}

/** The blocks chosen so far, in the order of the rounds. */
export function chosenBlocks(state: CheckpointState): BlockName[] {
  return state.rounds.flatMap((round) => (round.chosen ? [round.chosen] : []));
}
