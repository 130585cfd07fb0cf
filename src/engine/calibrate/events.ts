/** What a calibration tells while it runs. */
import type { BlockName } from '../decoder/decoder.js';
import type { TrainingEpoch } from '../runs/checkpoint.js';

export type CalibrationEvent =
  | { type: 'candidate-started'; round: number; block: BlockName; index: number; candidates: number }
  | {
      type: 'candidate-tried';
      round: number;
      block: BlockName;
      loss: number;
      /** How much the loss alone is above the original's, where what decides (`loss`) holds more than that. */
      rise?: number;
      index: number;
      candidates: number;
    }
  | { type: 'block-chosen'; round: number; block: BlockName; loss: number | undefined }
  | { type: 'epoch-finished'; skipped: readonly BlockName[]; epochs: number; result: TrainingEpoch }
  /** Work done of what is foreseen, over the whole calibration, in forward passes of one batch. */
  | { type: 'progress'; done: number; total: number };

export type CalibrationListener = (event: CalibrationEvent) => void;
