/** For tests: compares the gradients of a graph with central differences, both computed by onnxruntime. */
import { expect } from 'vitest';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { copyModel, opsetVersion, type OnnxModel } from '../../onnx/file/model-file.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { probeTypes } from '../../runtime/probe-types.js';
import { openSession, type Feeds } from '../../runtime/session.js';
import { float32Tensor, float64Tensor, type RuntimeTensor } from '../../runtime/tensors.js';
import { differentiate } from '../differentiate.js';
import type { ValueTypes } from '../value-types.js';

export interface GradientCheck {
  model: OnnxModel;
  loss: string;
  leaves: readonly string[];
  /** Leaves included. */
  feeds: Feeds;
  /** Feeds of other sizes, which tell the dimensions that vary. Default: all sizes are fixed. */
  otherProbes?: readonly Feeds[];
  /** All sizes above 1 count as varying. */
  forgetSizes?: boolean;
  /** Length of the step of the differences, in each element at most. */
  step: number;
  /** The deviation that is allowed, relative to the gradient's length. */
  tolerance: number;
}

/** Deterministic numbers between -1 and 1. */
export function randomNumbers(seed: number, count: number): number[] {
  let state = Math.imul(seed + 1, 2654435761) >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  });
}

/**
 * Expects each leaf's gradient to have the leaf's shape, and its product with a random direction to be the loss's change
 * in that direction.
 */
export async function expectGradients(check: GradientCheck): Promise<void> {
  const { loss, leaves, feeds, step, tolerance } = check;
  const model = copyModel(check.model);
  const graph = new Graph(model.graph);
  const probed = await probeTypes(model, [feeds, ...(check.otherProbes ?? [])]);
  const types = check.forgetSizes ? withoutSizes(probed) : probed;
  const gradients = differentiate(graph, { loss, leaves, types, opset: opsetVersion(model)! });
  graph.proto.output = [loss, ...new Set(gradients.values())].map((name) => {
    const leaf = leaves.find((key) => gradients.get(key) === name);
    const type = types.get(leaf ?? loss)!.type === 'float64' ? DataType.DOUBLE : DataType.FLOAT;
    return makeValueInfo(name, type, leaf === undefined ? [] : feeds[leaf]!.dims);
  });
  graph.removeUnused();
  const session = await openSession(model, { threads: 1 });
  try {
    const results = await session.run(feeds);
    for (const [index, leaf] of leaves.entries()) {
      const point = feeds[leaf]!;
      const gradient = results[gradients.get(leaf)!]!;
      expect(gradient.dims, `shape of the gradient by ${leaf}`).toEqual(point.dims);
      const direction = randomNumbers(index, point.size);
      const lossAt = async (distance: number) => {
        const moved = { ...feeds, [leaf]: movedBy(point, direction, distance) };
        return Number((await session.run(moved, [loss]))[loss]!.data[0]);
      };
      const difference = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
      const values = Array.from(gradient.data as Float32Array);
      const product = values.reduce((sum, value, place) => sum + value * direction[place]!, 0);
      const allowed = tolerance * (1 + Math.hypot(...values));
      expect(Math.abs(product - difference), `${product} against ${difference} by ${leaf}`).toBeLessThan(
        allowed,
      );
    }
  } finally {
    await session.release();
  }
}

function withoutSizes(types: ValueTypes): ValueTypes {
  return new Map(
    [...types].map(([name, { shape, type }]) => [
      name,
      { type, shape: type.startsWith('float') ? shape.map((dim) => (dim === 1 ? 1 : undefined)) : shape },
    ]),
  );
}

function movedBy(point: RuntimeTensor, direction: readonly number[], distance: number): RuntimeTensor {
  const values = Array.from(
    point.data as Float32Array,
    (value, place) => value + distance * direction[place]!,
  );
  return point.type === 'float64' ? float64Tensor(values, point.dims) : float32Tensor(values, point.dims);
}
