/** What a model computes on the task, by which its cuts are decided: found once, however many cuts are tried. */
import type { NeuronStatistics } from '../../cuts/neurons/neuron-statistics.js';
import { neuronStatistics } from '../../cuts/neurons/neuron-statistics.js';
import { gatherSensitivities, type Sensitivities } from '../../cuts/precision/sensitivities.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import type { RunOptions } from '../../runtime/session.js';
import { batchesByLength } from './batches.js';
import type { SourceModel } from './source-model.js';
import type { PreparedTask } from './task.js';

/** Tokens of the task, prompts included, on which a cut is decided. */
const DECIDING_TOKENS = { precision: 8_000, neurons: 4_000, refit: 16_000 };
const BATCH_ROWS = 4;

type OnProgress = (done: number, total: number) => void;

export class CutStatistics {
  readonly #model: SourceModel;
  readonly #task: PreparedTask;
  readonly #signal: AbortSignal | undefined;
  readonly runOptions: RunOptions;
  #neurons: NeuronStatistics | undefined;
  #sensitivities: Sensitivities | undefined;

  /** @param model that is cut; its weights are read when they are needed */
  constructor(
    model: SourceModel,
    task: PreparedTask,
    runOptions: RunOptions,
    signal: AbortSignal | undefined,
  ) {
    this.#model = model;
    this.#task = task;
    this.runOptions = runOptions;
    this.#signal = signal;
  }

  /** @throws CancelledError if stopped */
  async neurons(onProgress: OnProgress): Promise<NeuronStatistics> {
    const batches = this.#batches(DECIDING_TOKENS.neurons);
    return (this.#neurons ??= await neuronStatistics(
      this.#model.decoder,
      batches,
      this.#options(onProgress),
    ));
  }

  /** @throws CancelledError if stopped */
  async sensitivities(onProgress: OnProgress): Promise<Sensitivities> {
    const batches = this.#batches(DECIDING_TOKENS.precision);
    return (this.#sensitivities ??= await gatherSensitivities(
      this.#model.decoder,
      batches,
      this.#options(onProgress),
    ));
  }

  /** On which products are fitted anew. */
  get refitBatches(): LossBatch[] {
    return this.#batches(DECIDING_TOKENS.refit);
  }

  #options(onProgress: OnProgress) {
    return { runOptions: this.runOptions, onProgress, ...(this.#signal && { signal: this.#signal }) };
  }

  /** The first calibration rows, as many as have so many tokens. */
  #batches(most: number): LossBatch[] {
    const { calibration } = this.#task;
    let tokens = 0;
    const end = calibration.findIndex(({ ids }) => (tokens += ids.length) > most);
    const rows = calibration.slice(0, end < 0 ? undefined : Math.max(1, end));
    return batchesByLength(this.#model.decoder, rows, BATCH_ROWS, this.#task);
  }
}
