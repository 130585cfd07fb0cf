/** Seconds and memory of one gradient step of a model, whole or in segments: what a calibration mostly consists of. */
import { UserError, throwIfCancelled } from '../../schema/errors.js';
import type { Granularity } from '../../schema/settings.js';
import type { ModelChoice } from '../../schema/values.js';
import type { Decoder } from '../decoder/decoder.js';
import { openGradientModel } from '../loss/open-gradient-model.js';
import { makeLossBatch, type LossRow } from '../loss/loss-batch.js';
import { peakSoFar } from '../runtime/peak-memory.js';
import { SegmentSlot } from '../runtime/segment-slot.js';
import type { SegmentOptions } from '../runtime/session.js';
import type { JobContext } from './context.js';
import { onnxModel } from './parts/imported-model.js';
import { onDevice } from './parts/device.js';

/** Steps before those that are timed. */
const WARM_UP = 2;
/** Bytes of values between segments that are kept. */
const KEPT_BYTES = 1e7;

export interface StepRequest {
  model: ModelChoice;
  /** The batch, as token ids; at least one token after a row's first is a response. */
  rows: readonly LossRow[];
  scales: Granularity;
  /** Segments of about as many layers each, all loaded or in turn; absent: the model is run whole. */
  segments?: { count: number; inTurn: boolean };
  /** How many steps are timed. */
  steps: number;
}

export interface StepFigures {
  /** Median over the steps. */
  seconds: number;
  /** Mean over the response tokens, in nats. */
  loss: number;
  /** Length of the gradient by all scales together. */
  gradientLength: number;
  /** Largest resident memory of this process since it began. */
  peakBytes: number;
}

/** @throws UserError if the model cannot be read or run so; CancelledError if stopped */
export async function measureStep(request: StepRequest, context: JobContext): Promise<StepFigures> {
  const { decoder } = await context.kept.model(await onnxModel(request.model, context), context.memory);
  const segments = request.segments && evenSegments(decoder, request.segments);
  return await onDevice(
    context.device,
    async (runOptions) => {
      const options = {
        skipped: [],
        granularity: request.scales,
        runOptions: { ...runOptions, segments, sparesMemory: segments !== undefined },
      };
      const model = await openGradientModel(decoder, options);
      try {
        const batch = makeLossBatch(decoder, request.rows, 0);
        const seconds: number[] = [];
        let loss = 0;
        let squares = 0;
        for (let step = 0; step < WARM_UP + request.steps; step += 1) {
          throwIfCancelled(context.signal);
          const started = performance.now();
          const result = await model.run(batch, new Map());
          if (step >= WARM_UP) seconds.push((performance.now() - started) / 1000);
          ({ loss } = result);
          squares = 0;
          for (const gradient of result.gradients.values())
            for (const slope of gradient) squares += slope ** 2;
          context.on({ type: 'round', done: step + 1, total: WARM_UP + request.steps });
        }
        const sorted = seconds.toSorted((a, b) => a - b);
        return {
          seconds: sorted[sorted.length >> 1]!,
          loss,
          gradientLength: Math.sqrt(squares),
          peakBytes: peakSoFar(),
        };
      } finally {
        await model.release();
      }
    },
    (reason) => context.on({ type: 'provider', reason }),
  );
}

function evenSegments(
  { layerCount }: Decoder,
  { count, inTurn }: { count: number; inTurn: boolean },
): SegmentOptions {
  if (!Number.isInteger(count) || count < 1 || count > layerCount) {
    throw new UserError(`The model has ${layerCount} layers; it can be run in 1 to ${layerCount} segments.`);
  }
  const firstLayers = Array.from({ length: count - 1 }, (_, index) =>
    Math.round(((index + 1) * layerCount) / count),
  );
  return { firstLayers, keptBytes: KEPT_BYTES, slot: inTurn ? new SegmentSlot() : undefined };
}
