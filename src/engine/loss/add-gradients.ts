/** Brings a graph to a form that can be differentiated, and adds the gradient. */
import { differentiate } from '../autodiff/differentiate.js';
import { findLowering, lowerOperators } from '../autodiff/lower/index.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Graph } from '../onnx/graph/graph.js';
import { opsetVersion, type OnnxModel } from '../onnx/file/model-file.js';
import { makeValueInfo, type DeclaredDim } from '../onnx/graph/value-info.js';
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
  /** Feeds of two sizes, to find out types and shapes. */
  probes: readonly Feeds[];
  runOptions: RunOptions;
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
export async function addGradients(
  model: OnnxModel,
  { result, seed, leaves, probes, runOptions }: GradientRequest,
): Promise<Map<string, string>> {
  const graph = new Graph(model.graph);
  const types = await typesOf(model, probes, runOptions);
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

async function typesOf(model: OnnxModel, probes: readonly Feeds[], runOptions: RunOptions) {
  await runOptions.segments?.slot?.take(undefined);
  const { mapWeights = false, memoryArena = true } = segmentOptions(runOptions);
  return await probeTypes(model, probes, { mapWeights, memoryArena });
}
