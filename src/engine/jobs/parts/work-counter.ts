/** Counts the work of a calibration as it is done, against what is foreseen. */
import type { JobListener } from '../../../schema/events.js';
import type { JobSettings, LossKind } from '../../../schema/settings.js';
import type { Checkpoint } from '../../calibrate/checkpoint.js';
import { smallBatchShare } from '../../calibrate/select/selection-strategy.js';
import type { Decoder } from '../../decoder/decoder.js';
import { rowsIn, type LossBatch } from '../../loss/loss-batch.js';
import { doneWork, foreseenRounds, foreseenWork, inBatches, type ForeseenWork } from './work.js';

interface CountedTask {
  decoder: Decoder;
  calibration: readonly LossBatch[];
  smallBatches: readonly LossBatch[];
  heldout: readonly LossBatch[];
  loss: LossKind;
  settings: JobSettings;
  checkpoint: Checkpoint;
  onEvent: JobListener;
}

/** In forward passes of one batch. */
export class WorkCounter {
  readonly #task: CountedTask;
  #total = 0;
  #done: number;

  constructor(task: CountedTask) {
    const { decoder, settings, checkpoint } = task;
    this.#task = task;
    const foreseen = this.expectRounds(checkpoint.state.rounds.length);
    this.#done = doneWork(decoder, settings, foreseen, checkpoint.state);
  }

  /** Foresees the work anew, where a quality budget allows more rounds than were guessed. */
  expectRounds(begun: number): ForeseenWork {
    const { decoder, settings, calibration, smallBatches, heldout, loss } = this.#task;
    const foreseen = foreseenWork(decoder, settings, {
      rounds: foreseenRounds(decoder, settings, begun),
      batches: calibration.length,
      heldoutBatches: inBatches(rowsIn(heldout), calibration),
      smallBatchShare: smallBatchShare(calibration, smallBatches),
      loss,
    });
    this.#total = foreseen.total;
    return foreseen;
  }

  count(forwardPasses: number): void {
    this.#done += forwardPasses;
    this.#task.onEvent({ type: 'progress', done: Math.min(this.#done, this.#total), total: this.#total });
  }
}
