/** Brings a graph to a form that can be differentiated, and adds the gradient. */
import { differentiate } from '../autodiff/differentiate.js';
import type { ValueTypes } from '../autodiff/value-types.js';
import { findLowering, lowerOperators } from '../autodiff/lower/index.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { opsetVersion, type OnnxModel } from '../onnx/file/model-file.js';
import { makeValueInfo, type DeclaredDim } from '../onnx/graph/value-info.js';
import { feedableWeights, weightFeeds, withInputsFor } from '../runtime/fed-weights.js';
import { probeTypes } from '../runtime/probe-types.js';
import { segmentOptions } from '../runtime/segment-session.js';
import type { Feeds, RunOptions } from '../runtime/session.js';

/** A value by which is differentiated: a graph input of float32. */
export interface Leaf {
  name: string;
  shape: readonly DeclaredDim[];
}

export interface GradientRequest {
  /** The value whose gradient is asked for. */
  result: string;
  /** The gradient by `result`, where it is no number that stands at the end. */
  seed?: string;
  leaves: readonly Leaf[];
  /** Those of all values of the graph. */
  types: ValueTypes;
}

/** Replaces operators without gradient rules by others. @throws UserError if one has no replacement */
export async function lowerModel(
  model: OnnxModel,
  probes: readonly Feeds[],
  runOptions: RunOptions,
): Promise<void> {
  const graph = new Graph(model.graph);
  if (!graph.nodes.some((node) => findLowering(node))) return;
  lowerOperators(graph, await typesOf(model, probes, runOptions));
}

/**
 * Appends the gradient to the graph, whose outputs are then those it had and the gradients.
 * @returns the gradients' names by the leaves'
 * @throws UserError if an operator has no gradient rule
 */
export function addGradients(
  model: OnnxModel,
  { result, seed, leaves, types }: GradientRequest,
): Map<string, string> {
  const graph = new Graph(model.graph);
  const gradients = differentiate(graph, {
    loss: result,
    seed,
    leaves: leaves.map(({ name }) => name),
    types,
    opset: opsetVersion(model)!,
  });
  for (const { name, shape } of leaves) {
    graph.proto.output.push(makeValueInfo(gradients.get(name)!, DataType.FLOAT, shape));
  }
  graph.removeUnused();
  return gradients;
}

/** Types of all values of a graph. */
export async function typesOf(
  model: OnnxModel,
  probes: readonly Feeds[],
  runOptions: RunOptions,
): Promise<ValueTypes> {
  const { mapWeights = false, memoryArena = true } = segmentOptions(runOptions);
  if (runOptions.segments?.slot) {
    await runOptions.segments.slot.take(undefined);
    return await probeTypes(model, probes, { mapWeights, memoryArena });
  }
  const weights = feedableWeights(model.graph);
  const fed = weightFeeds(model, weights);
  const complete = probes.map((feeds) => ({ ...fed, ...feeds }));
  return await probeTypes(withInputsFor(model, weights), complete, { memoryArena });
}
