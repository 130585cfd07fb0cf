/** The original on a task's rows: its held-out figures, and its distributions, where they are what is learnt. */
import type { HeldoutQuality } from '../../../schema/report.js';
import type { LossKind } from '../../../schema/settings.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { Checkpoint } from '../../calibrate/checkpoint.js';
import type { Decoder } from '../../decoder/decoder.js';
import { heldoutQuality } from '../../evaluate/heldout-quality.js';
import { openForwardModel } from '../../loss/forward-model.js';
import { KeptStream } from '../../loss/kept-stream.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { OriginalTargets } from '../../loss/original-targets.js';
import type { RunOptions } from '../../runtime/session.js';
import { inBatches } from './work.js';

/** What slimmed models are held against, and the task's rows in its own batches: its graph may have other inputs. */
export interface Reference {
  decoder: Decoder;
  calibration: readonly LossBatch[];
  training: readonly LossBatch[];
  heldout: readonly LossBatch[];
  /** Of its own training, where it is another model than the one that is slimmed. */
  checkpoint: Checkpoint;
}

export interface OriginalTask {
  reference: Pick<Reference, 'decoder' | 'calibration' | 'heldout'>;
  /** All batches that are to get its distributions: the same rows, for the model that is slimmed. */
  learners: readonly LossBatch[];
  loss: LossKind;
  /** What the reference's last layer gave while it answered, where that is kept; of the held-out rows it stays. */
  kept?: KeptStream | undefined;
  runOptions: RunOptions;
  signal: AbortSignal | undefined;
  /** Called after each forward pass of a batch, with 1. */
  onWork(forwardPasses: number): void;
}

export interface MeasuredOriginal {
  quality: HeldoutQuality;
  /** What its last layer gave for the held-out rows, where its head can be run alone. */
  kept: KeptStream | undefined;
}

/**
 * Measures the original and gives all batches its distributions where the loss is a divergence.
 * @throws UserError if the original computes no numbers; CancelledError if stopped
 */
export async function measureOriginal(task: OriginalTask): Promise<MeasuredOriginal> {
  const { reference, signal } = task;
  const { calibration, heldout } = reference;
  const model = await openForwardModel(reference.decoder, {
    skipped: [],
    granularity: 'scalar',
    runOptions: task.runOptions,
  });
  try {
    const targets = task.loss === 'divergence' ? new OriginalTargets() : undefined;
    if (!model.hasHead) task.kept?.drop([...calibration, ...heldout]);
    const kept = model.hasHead ? (task.kept ?? KeptStream.for(model, task.runOptions)) : undefined;
    const quality = await heldoutQuality({ model, scales: new Map(), kept }, heldout, {
      onPass: (rows) => task.onWork(inBatches(rows, calibration)),
      ...(targets && { onTargets: (batch, top) => targets.keep(batch, top) }),
      keep: kept,
      ...(signal && { signal }),
    });
    if (targets) {
      const onBatch = () => {
        throwIfCancelled(signal);
        task.onWork(1);
      };
      await targets.learn(model, calibration, { ...(kept && { kept }), onBatch });
      kept?.drop(calibration);
      for (const batch of task.learners) targets.addTo(batch);
    }
    return { quality, kept };
  } finally {
    await model.release();
  }
}
