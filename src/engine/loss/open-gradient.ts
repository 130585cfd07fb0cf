/** Opens the gradient of a decoder: in segments, or as a whole. */
import type { Decoder } from '../decoder/decoder.js';
import { NotSeparableError } from '../decoder/edit/cut-stream.js';
import { isStandardDomain } from '../onnx/graph/operator-domain.js';
import { openSession, type RunnableModel } from '../runtime/session.js';
import { addGradients, lowerModel, typesOf } from './add-gradients.js';
import type { GradientTask } from './open-segments.js';
import { openSegmentedGradient } from './segmented-gradient.js';

/**
 * In segments where that is asked for; and on the CPU, where it takes less time and memory.
 * @returns a model that takes the whole model's feeds, and the gradients' names by the leaves'
 * @throws UserError if an operator has no gradient rule or onnxruntime cannot load the graph
 */
export async function openGradient(
  task: GradientTask,
): Promise<{ model: RunnableModel; gradients: Map<string, string> }> {
  const { provider = 'cpu', segments } = task.runOptions;
  if (segments) return await openSegmentedGradient(task);
  if (provider !== 'cpu' || hasPackedAttention(task.decoder)) return await openWholeGradient(task);
  try {
    return await openSegmentedGradient(task);
  } catch (error) {
    if (error instanceof NotSeparableError) return await openWholeGradient(task);
    throw error;
  }
}

/** onnxruntime's fused GPT-2: what its layers hand over is not named alike in all of them. */
function hasPackedAttention({ model }: Decoder): boolean {
  return model.graph.node.some(({ opType, domain }) => opType === 'Attention' && !isStandardDomain(domain));
}

async function openWholeGradient(
  task: GradientTask,
): Promise<{ model: RunnableModel; gradients: Map<string, string> }> {
  const { decoder, loss, leaves, probes, runOptions } = task;
  const { model } = decoder;
  await lowerModel(model, probes, runOptions);
  const types = await typesOf(model, probes, runOptions);
  const gradients = addGradients(model, { result: loss, leaves, types });
  return { model: await openSession(model, runOptions), gradients };
}
