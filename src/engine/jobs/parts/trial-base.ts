/** What cuts are held against while they are tried: the model before them on some rows, and how fast the original is. */
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { heldoutQuality } from '../../evaluate/heldout-quality.js';
import { openForwardModel, type ForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import type { RunOptions } from '../../runtime/session.js';
import { TokenTimes } from './token-times.js';

export interface TrialBase {
  model: ForwardModel;
  batches: readonly LossBatch[];
  loss: number;
  accuracy: number;
  /** Set where a speed is the aim: against the original. */
  times: TokenTimes | undefined;
  /** Time of a new token as a share of the original's; 1 where it is the original, or no speed is the aim. */
  time: number;
  release(): Promise<void>;
}

export interface TrialBaseTask {
  original: Decoder;
  /** The model before the cuts. */
  reference: Decoder;
  /** Of the reference. */
  batches: readonly LossBatch[];
  isForSpeed: boolean;
  runOptions: RunOptions;
  signal: AbortSignal | undefined;
}

/** @throws UserError if onnxruntime cannot load a model; CancelledError if stopped */
export async function openTrialBase(task: TrialBaseTask): Promise<TrialBase> {
  const { original, reference, batches, runOptions, signal } = task;
  const model = await openUntrained(reference, [], runOptions);
  let times: TokenTimes | undefined;
  const release = async () => {
    await model.release();
    await times?.release();
  };
  try {
    const quality = await heldoutQuality({ model, scales: new Map() }, batches, {
      ...(signal && { signal }),
    });
    if (task.isForSpeed) times = await TokenTimes.open(original, runOptions, signal);
    const time = times && reference !== original ? await times.shareOf(reference) : 1;
    const figures = { loss: quality.loss.value, accuracy: quality.tokenAccuracy.value };
    return { model, batches, ...figures, times, time, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** A model with all scales where they start. */
export async function openUntrained(
  decoder: Decoder,
  skipped: readonly BlockName[],
  runOptions: RunOptions,
): Promise<ForwardModel> {
  return await openForwardModel(decoder, { skipped, granularity: 'scalar', runOptions });
}
