/** The original on a task's rows: its held-out figures, and its distributions, where they are what is learnt. */
import type { HeldoutQuality } from '../../../schema/report.js';
import type { LossKind } from '../../../schema/settings.js';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { Decoder } from '../../decoder/decoder.js';
import { heldoutQuality } from '../../evaluate/heldout-quality.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { OriginalTargets } from '../../loss/original-targets.js';
import type { RunOptions } from '../../runtime/session.js';

export interface OriginalTask {
  decoder: Decoder;
  calibration: readonly LossBatch[];
  /** The calibration rows in other batches. */
  regrouped: readonly LossBatch[];
  heldout: readonly LossBatch[];
  loss: LossKind;
  runOptions: RunOptions;
  signal: AbortSignal | undefined;
}

/**
 * Measures the original and gives all batches its distributions where the loss is a divergence.
 * @throws UserError if the original computes no numbers; CancelledError if stopped
 */
export async function measureOriginal(task: OriginalTask): Promise<HeldoutQuality> {
  const { calibration, heldout, signal } = task;
  const model = await openForwardModel(task.decoder, {
    skipped: [],
    granularity: 'scalar',
    runOptions: task.runOptions,
  });
  try {
    const quality = await heldoutQuality({ model, scales: new Map() }, heldout, signal ? { signal } : {});
    if (task.loss === 'divergence') {
      const targets = new OriginalTargets();
      await targets.learn(model, [...calibration, ...heldout], () => throwIfCancelled(signal));
      for (const batch of [...calibration, ...task.regrouped, ...heldout]) targets.addTo(batch);
    }
    return quality;
  } finally {
    await model.release();
  }
}
