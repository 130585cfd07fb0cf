/** Final training of the scales for one choice of skipped blocks; the held-out rows decide which epoch is kept. */
import type { Granularity, LossKind } from '../../../schema/settings.js';
import type { JobListener } from '../../../schema/events.js';
import type { TrainingEpoch } from '../../../schema/report.js';
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { UserError, throwIfCancelled } from '../../../schema/errors.js';
import type { RunOptions } from '../../runtime/session.js';
import { Adam } from './adam.js';
import type { Checkpoint, TrainingState } from '../checkpoint.js';
import { HiddenTargets } from '../../loss/hidden-targets.js';
import { requireOwnNumbers } from '../../loss/finite-losses.js';
import { KeptStream } from '../../loss/kept-stream.js';
import { rowsIn, type LossBatch } from '../../loss/loss-batch.js';
import { openForwardModel, type ForwardModel } from '../../loss/forward-model.js';
import { openGradientModel } from '../../loss/open-gradient-model.js';
import type { GradientModel } from '../../loss/gradient-model.js';
import {
  initialScales,
  restoreScales,
  saveScales,
  type ScaleKey,
  type Scales,
} from '../../decoder/scales.js';
import { GRADIENT_STEP_COST } from '../select/selection-strategy.js';

/** The residual scales stay above this: only positive ones fold, and large steps could carry them past zero. */
const SMALLEST_RESIDUAL = 0.1;

export interface TrainingSettings {
  granularity: Granularity;
  epochs: number;
  learningRate: number;
  /** How often training may begin again, with half the rate, where its first epoch made the held-out loss worse. */
  restarts: number;
  /** How the learning rate goes: the same throughout (as published), or falling linearly to 0 at the end. */
  schedule: 'constant' | 'linear';
  /** Decay of Adam's second moments. */
  beta2: number;
  /** Strength of the pull of every scale towards 1 (L2); 0 for none. */
  pull: number;
  /** Weight of the relative distance from the original's last hidden states, beside the loss; 0 for none. */
  distillation: number;
}

/** Width of the model that the rate for fine scales was found with, and how far it is carried over to others. */
const MEASURED_WIDTH = 576;
const WIDTH_FACTORS = { least: 0.4, most: 5 };

/** By what a rate for fine scales is multiplied: the more channels move together, the less each of them may. */
export function rateForWidth(granularity: Granularity, hiddenSize: number): number {
  if (granularity === 'scalar') return 1;
  return Math.min(WIDTH_FACTORS.most, Math.max(WIDTH_FACTORS.least, MEASURED_WIDTH / hiddenSize));
}

/** Decay of Adam's second moments where training is not told another. */
export const USUAL_BETA_2 = 0.9;

/** Settings found by measuring; docs/method.md says how they compare with the published ones and with L-BFGS. */
export function defaultTraining(granularity: Granularity): TrainingSettings {
  const common = { granularity, restarts: 3, schedule: 'linear', beta2: USUAL_BETA_2, pull: 0 } as const;
  return granularity === 'scalar'
    ? { ...common, epochs: 6, learningRate: 3e-2, distillation: 0 }
    : { ...common, epochs: 3, learningRate: 5e-3, distillation: 0 };
}

export interface TrainingContext {
  decoder: Decoder;
  batches: readonly LossBatch[];
  /** Held-out rows that judge the epochs. */
  heldout: readonly LossBatch[];
  /** What is learnt and judged by; batches for a divergence have targets. */
  loss: LossKind;
  /** Scales to begin with, where they are known for this or a similar choice; default: all where they start. */
  start?: Scales | undefined;
  runOptions: RunOptions | undefined;
  signal: AbortSignal | undefined;
  /** Called after each piece of work, with its cost in forward passes of one batch. */
  onWork(forwardPasses: number): void;
  /** Called after each pass over the held-out rows, with how many they are (negative where an epoch is undone). */
  onHeldout?(rows: number): void;
}

export interface TrainedScales {
  skipped: readonly BlockName[];
  scales: Scales;
  bestEpoch: number;
  /** Mean over the response tokens of the rows that judged, of what was learnt, in nats. */
  heldoutLoss: number;
  epochs: readonly TrainingEpoch[];
  /** What the last layer gave for the rows that judged, in the best epoch, if that was trained just now. */
  kept?: KeptStream | undefined;
}

/**
 * Trains from all ones, or from where the checkpoint stands.
 * @throws CancelledError if stopped: the checkpoint then holds all epochs that were finished
 */
export async function trainScales(
  context: TrainingContext,
  skipped: readonly BlockName[],
  settings: TrainingSettings,
  checkpoint: Checkpoint,
  onEvent: JobListener,
): Promise<TrainedScales> {
  const key = String(skipped.length);
  const saved = checkpoint.state.training[key];
  if (saved?.finished) return result(skipped, saved);

  const options = {
    skipped,
    granularity: settings.granularity,
    loss: context.loss,
    runOptions: context.runOptions,
  };
  const gradientModel = await openGradientModel(context.decoder, {
    ...options,
    matchHidden: settings.distillation > 0,
  });
  const forwardModel = await openForwardModel(context.decoder, options);
  const targets = await HiddenTargets.open(context, settings.distillation);
  try {
    const state = saved ?? (await startingState(gradientModel, forwardModel, context));
    checkpoint.state.training[key] = state;
    const report = (epoch: TrainingEpoch) =>
      onEvent({ type: 'epoch-finished', skipped: [...skipped], epochs: settings.epochs, result: epoch });
    for (const epoch of state.epochs) report(epoch);
    let scales = restoreScales(state.scales);
    let adam = new Adam(state.adam);
    let keptOfBest: KeptStream | undefined;
    while (!state.finished) {
      const epoch = state.epochs.length;
      const trainingLoss = await trainOneEpoch(
        context,
        { gradientModel, targets },
        scales,
        adam,
        { ...settings, learningRate: settings.learningRate / 2 ** state.restarts },
        epoch - 1,
      );
      const kept = KeptStream.for(forwardModel, context.runOptions);
      const heldoutLoss = await meanLoss(forwardModel, context.heldout, scales, kept);
      context.onHeldout?.(rowsIn(context.heldout));
      const worse = !(heldoutLoss <= state.best.heldoutLoss);
      if (epoch === 1 && worse && state.restarts < settings.restarts) {
        state.restarts += 1;
        scales = restoreScales(state.scales);
        adam = new Adam();
        checkpoint.save();
        context.onWork(-context.batches.length * GRADIENT_STEP_COST);
        context.onHeldout?.(-rowsIn(context.heldout));
        continue;
      }
      requireNumbers(epoch, trainingLoss, heldoutLoss);
      keep(state, { epoch, trainingLoss, heldoutLoss }, scales, adam);
      if (state.best.epoch === epoch) keptOfBest = kept;
      state.finished = epoch === settings.epochs;
      // Nothing goes on from here: the optimiser's state is twice as large as the scales.
      if (state.finished) state.adam = new Adam().save();
      checkpoint.save();
      report(state.epochs.at(-1)!);
    }
    return { ...result(skipped, state), kept: keptOfBest };
  } finally {
    await gradientModel.release();
    await forwardModel.release();
    await targets.release();
  }
}

async function startingState(
  gradientModel: GradientModel,
  forwardModel: ForwardModel,
  { heldout, start: given }: Pick<TrainingContext, 'heldout' | 'start'>,
): Promise<TrainingState> {
  const scales = initialScales(gradientModel.scaleSizes, given);
  const heldoutLoss = await meanLoss(forwardModel, heldout, scales);
  const start = saveScales(scales);
  return {
    epochs: [{ epoch: 0, trainingLoss: null, heldoutLoss }],
    best: { epoch: 0, heldoutLoss, scales: start },
    scales: start,
    adam: new Adam().save(),
    restarts: 0,
    finished: false,
  };
}

/** Mean of the batches' losses, each taken before its step (as published). */
async function trainOneEpoch(
  context: TrainingContext,
  models: { gradientModel: GradientModel; targets: HiddenTargets },
  scales: Map<ScaleKey, Float32Array>,
  adam: Adam,
  settings: TrainingSettings,
  epochsDone: number,
): Promise<number> {
  const steps = settings.epochs * context.batches.length;
  let total = 0;
  for (const [index, batch] of context.batches.entries()) {
    throwIfCancelled(context.signal);
    const match = await models.targets.feeds(batch);
    const { loss, gradients } = await models.gradientModel.run(batch, scales, match);
    if (epochsDone + index === 0) requireOwnNumbers([loss]);
    total += loss;
    const done = (epochsDone * context.batches.length + index) / steps;
    const learningRate = settings.learningRate * (settings.schedule === 'linear' ? 1 - done : 1);
    adam.update(scales, gradients, learningRate, settings);
    keepResidualsPositive(scales);
    context.onWork(GRADIENT_STEP_COST);
  }
  return total / context.batches.length;
}

function keepResidualsPositive(scales: Map<ScaleKey, Float32Array>): void {
  for (const [key, values] of scales) {
    if (key.startsWith('residual ')) values[0] = Math.max(values[0]!, SMALLEST_RESIDUAL);
  }
}

/** @throws UserError if training has diverged; the checkpoint then keeps the epochs before */
function requireNumbers(epoch: number, ...losses: number[]): void {
  if (losses.every(Number.isFinite)) return;
  throw new UserError(
    `The training of the scales diverged in epoch ${epoch} (the loss is not a number); start again with a smaller learning rate.`,
    { inCommands: '--learning-rate' },
  );
}

function keep(state: TrainingState, epoch: TrainingEpoch, scales: Scales, adam: Adam): void {
  state.epochs.push(epoch);
  state.scales = saveScales(scales);
  state.adam = adam.save();
  if (epoch.heldoutLoss < state.best.heldoutLoss) {
    state.best = { epoch: epoch.epoch, heldoutLoss: epoch.heldoutLoss, scales: state.scales };
  }
}

/** Mean over all response tokens of the batches. @param kept takes in what the last layer gives for them */
export async function meanLoss(
  model: ForwardModel,
  batches: readonly LossBatch[],
  scales: Scales,
  kept?: KeptStream,
): Promise<number> {
  const runs = batches.map((batch) => ({ batch, scales }));
  let total = 0;
  let tokens = 0;
  let index = 0;
  for await (const results of kept ? model.lossAndHiddenEach(runs) : model.runEach(runs)) {
    const batch = batches[index++]!;
    if ('hidden' in results) kept?.keep(batch, results.hidden);
    total += results.loss * batch.labels.length;
    tokens += batch.labels.length;
  }
  return total / tokens;
}

function result(skipped: readonly BlockName[], state: TrainingState): TrainedScales {
  return {
    skipped,
    scales: restoreScales(state.best.scales),
    bestEpoch: state.best.epoch,
    heldoutLoss: state.best.heldoutLoss,
    epochs: state.epochs,
  };
}
