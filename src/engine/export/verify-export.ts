/** The last check of an export: the written file must give the logits of the gated model that was trained. */
import type { Verification } from '../../schema/results.js';
import type { LossBatch } from '../loss/loss-batch.js';
import { openForwardModel, type ForwardModel } from '../loss/forward-model.js';
import { LOSS_INPUTS } from '../loss/loss-values.js';
import type { Scales } from '../decoder/scales.js';
import type { Decoder } from '../decoder/decoder.js';
import { elementType } from '../decoder/element-type.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { UserError } from '../../schema/errors.js';
import { intAttribute } from '../onnx/graph/attributes.js';
import { DataType } from '../onnx/graph/data-types.js';
import { readModel } from '../onnx/file/model-file.js';
import type { NodeProto } from '../onnx/file/onnx_pb.js';
import { emptyCache } from '../runtime/decoder-feeds.js';
import { openSession, type SessionOptions } from '../runtime/session.js';
import { logitsValues } from '../runtime/tensors.js';

/**
 * Largest difference of a logit that is allowed, by the graph's arithmetic: float32; float32 with quantised weights;
 * float16 and bfloat16, three units in the last place of a usual logit; activations that are rounded to 8 bits while the
 * model runs, where the last bit of a float decides over a whole step, and where one scale for all positions of a run
 * makes the result depend on which positions the head sees.
 */
export const LOGITS_TOLERANCE = {
  float32: 1e-4,
  quantisedWeights: 1e-3,
  float16: 5e-2,
  bfloat16: 4e-1,
  quantisedActivations: 0.25,
} as const;

/** Logits beyond this size get a tolerance that grows with them, as floating-point errors do. */
const USUAL_LOGIT = 32;

/**
 * @param file the exported ONNX file, loaded afresh
 * @param batches held-out rows
 * @throws UserError if the logits differ by more than the tolerance or are not numbers
 */
export async function verifyExport(
  file: string,
  trained: ForwardModel,
  scales: Scales,
  batches: readonly LossBatch[],
  session: SessionOptions | undefined,
): Promise<Verification> {
  const decoder = readDecoder(await readModel(file));
  const exported = session?.segments
    ? await openInSegments(decoder, session)
    : await openWhole(file, decoder, session);
  let largestDifference = 0;
  let largestLogit = 0;
  let positions = 0;
  try {
    for (const batch of batches) {
      const expected = await trained.logits(batch, scales);
      const actual = await exported.logits(batch);
      for (const [index, logit] of expected.entries()) {
        const difference = Math.abs(actual[index]! - logit);
        largestDifference = Math.max(largestDifference, Number.isNaN(difference) ? Infinity : difference);
        largestLogit = Math.max(largestLogit, Math.abs(logit));
      }
      positions += batch.labels.length;
    }
  } finally {
    await exported.release();
  }
  const isFloat16 = elementType(decoder.graph, decoder.logits) === DataType.FLOAT16;
  const arithmetic = isFloat16 ? 'float16' : arithmeticOf(decoder);
  const tolerance = LOGITS_TOLERANCE[arithmetic] * Math.max(1, largestLogit / USUAL_LOGIT);
  if (!(largestDifference <= tolerance)) {
    throw new UserError(
      `The exported model's logits differ from the trained model's by ${largestDifference.toPrecision(3)} (allowed: ${tolerance.toPrecision(3)}); nothing was exported. Try the explicit export mode, and please report this model.`,
    );
  }
  return { largestDifference, largestLogit, tolerance, positions };
}

/** The exported file in onnxruntime. */
interface ExportedModel {
  /** float32 [response tokens, vocabulary]: the logits that predict each response token. */
  logits(batch: LossBatch): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Opens the exported file as those who use it do: whole, and without a loss. */
async function openWhole(
  file: string,
  decoder: Decoder,
  options: SessionOptions | undefined,
): Promise<ExportedModel> {
  const session = await openSession(file, options);
  const wanted = new Set(session.inputs.map((input) => input.name));
  const width = decoder.vocabularySize;
  return {
    logits: async (batch) => {
      const { [LOSS_INPUTS.positions]: lossPositions, ...feeds } = batch.feeds;
      const ownFeeds = Object.entries({ ...feeds, ...emptyCache(decoder, batch.rows) }).filter(([name]) =>
        wanted.has(name),
      );
      const results = await session.run(Object.fromEntries(ownFeeds), [decoder.logits]);
      const all = logitsValues(results[decoder.logits]!);
      const chosen = new Float32Array(batch.labels.length * width);
      for (const [index, position] of (lossPositions!.data as BigInt64Array).entries()) {
        const start = Number(position) * width;
        chosen.set(all.subarray(start, start + width), index * width);
      }
      return chosen;
    },
    release: () => session.release(),
  };
}

/** Where memory is limited: the file's layers in turn, and only the logits that are compared. */
async function openInSegments(decoder: Decoder, session: SessionOptions): Promise<ExportedModel> {
  const model = await openForwardModel(decoder, { skipped: [], granularity: 'scalar', session });
  return {
    logits: (batch) =>
      model.logits({ ...batch, feeds: { ...batch.feeds, ...emptyCache(decoder, batch.rows) } }, new Map()),
    release: () => model.release(),
  };
}

function arithmeticOf(decoder: Decoder): Exclude<keyof typeof LOGITS_TOLERANCE, 'float16'> {
  // The logits come in float32 where the model was run in it, but folded weights are rounded to its own precision.
  if (decoder.streamType === DataType.BFLOAT16) return 'bfloat16';
  const { nodes } = decoder.graph;
  if (nodes.some(roundsActivations)) return 'quantisedActivations';
  return nodes.some((node) => node.opType === 'MatMulNBits') ? 'quantisedWeights' : 'float32';
}

/** onnxruntime makes MatMulNBits, with rounded activations, of a product behind DequantizeLinear. */
function roundsActivations(node: NodeProto): boolean {
  if (node.opType === 'MatMulNBits') return intAttribute(node, 'accuracy_level', 0) === 4;
  return /^(DynamicQuantize|QuantizeLinear|DequantizeLinear)/.test(node.opType);
}
