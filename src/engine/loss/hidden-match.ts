/**
 * Distillation on hidden states: beside the loss, the slimmed model's last value of the residual stream is pulled
 * towards the original's at every position, prompt included. A few hundred rows give far more to learn from this way
 * than their response tokens alone.
 */
import type { Graph } from '../onnx/graph/graph.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Operators } from '../onnx/graph/operators.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import type { Feeds } from '../runtime/session.js';
import { float32Tensor } from '../runtime/tensors.js';
import type { LossBatch } from './loss-batch.js';

const HIDDEN_INPUTS = {
  /** float32 [rows, positions, hidden size]: the original's last value of the stream. */
  targets: 'hopscotch.hidden_targets',
  /** float32 [rows, positions, 1]: the weight of each position's squared distance. */
  weights: 'hopscotch.hidden_weights',
} as const;

/** The input whose zeros leave the distance out. */
export const HIDDEN_WEIGHTS = HIDDEN_INPUTS.weights;

/**
 * Adds loss + sum(weights * (hidden - targets)^2) to the graph.
 * @param hidden float32 [rows, positions, hidden size]
 */
export function addHiddenMatch(
  graph: Graph,
  hidden: string,
  loss: string,
  hiddenSize: number,
  objective: string,
): void {
  const op = new Operators(graph, 'hopscotch.hidden_match');
  const targets = graph.addInput(
    makeValueInfo(HIDDEN_INPUTS.targets, DataType.FLOAT, ['rows', 'positions', hiddenSize]),
  );
  const weights = graph.addInput(
    makeValueInfo(HIDDEN_INPUTS.weights, DataType.FLOAT, ['rows', 'positions', 1]),
  );
  const difference = op.sub(hidden, targets);
  const distance = op.reduceSum(op.mul(op.mul(difference, difference), weights), undefined, false);
  op.name(op.add(loss, distance), objective);
}

/**
 * Feeds for a batch. The distance is relative: the weights sum up to `weight` times the squared distance over the
 * squared size of the targets, padding left out.
 * @param hidden the original's last value of the stream, [rows, positions, hidden size]
 */
export function hiddenMatchFeeds(batch: LossBatch, hidden: Float32Array, weight: number): Feeds {
  const positions = batch.mask.length / batch.rows;
  const width = hidden.length / batch.mask.length;
  let size = 0;
  hidden.forEach((value, index) => {
    size += batch.mask[Math.floor(index / width)]! * value ** 2;
  });
  return {
    [HIDDEN_INPUTS.targets]: float32Tensor(hidden, [batch.rows, positions, width]),
    [HIDDEN_INPUTS.weights]: float32Tensor(
      Float32Array.from(batch.mask, (isToken) => (isToken * weight) / size),
      [batch.rows, positions, 1],
    ),
  };
}

/**
 * The squared distance of two hidden states over the squared size of the targets, padding left out.
 * @param hidden float32 [rows, positions, hidden size], as are the targets
 */
export function hiddenDistance(batch: LossBatch, hidden: Float32Array, targets: Float32Array): number {
  const width = targets.length / batch.mask.length;
  let distance = 0;
  let size = 0;
  targets.forEach((target, index) => {
    if (batch.mask[Math.floor(index / width)] === 0) return;
    distance += (hidden[index]! - target) ** 2;
    size += target ** 2;
  });
  return distance / size;
}

/** Feeds of the right shapes for finding out types. */
export function hiddenMatchProbe(rows: number, positions: number, width: number): Feeds {
  return {
    [HIDDEN_INPUTS.targets]: float32Tensor(new Float32Array(rows * positions * width), [
      rows,
      positions,
      width,
    ]),
    [HIDDEN_INPUTS.weights]: float32Tensor(new Float32Array(rows * positions), [rows, positions, 1]),
  };
}
