/**
 * Divergence from the original as an objective: KL(original || model) of the next-token distributions at the positions
 * that carry loss. Of the original's distribution the most likely tokens are kept, and the rest as one: the divergence of
 * that is a lower bound of the whole one, and nearly the same where the rest is small.
 */
import type { Graph } from '../onnx/graph/graph.js';
import { DataType } from '../onnx/graph/data-types.js';
import type { Operators } from '../onnx/graph/operators.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import type { Feeds } from '../runtime/session.js';
import { float32Tensor, int64Tensor } from '../runtime/tensors.js';

/** The original's most likely tokens that are kept at each position. */
export const TARGET_TOKENS = 256;

/** Keeps the logarithm of the rest's probability finite where the tokens before it take all. */
const SMALLEST_REST = 1e-6;

/** The original's distributions at the positions that carry loss. */
export interface TokenTargets {
  /** [positions, kept]: the most likely tokens. */
  tokens: Int32Array;
  /** [positions, kept]: the natural logarithm of their probabilities. */
  logProbabilities: Float32Array;
  kept: number;
}

const TARGET_INPUTS = {
  /** int64 [tokens, kept] */
  tokens: 'hopscotch.target_tokens',
  /** float32 [tokens, kept] */
  probabilities: 'hopscotch.target_probabilities',
  /** float32 [tokens]: the probability of all other tokens. */
  rest: 'hopscotch.target_rest',
  /** float32 [tokens]: the distribution's entropy with its sign changed, which makes the cross-entropy a divergence. */
  negativeEntropy: 'hopscotch.target_negative_entropy',
} as const;

/**
 * @param logProbabilities float32 [1, tokens, vocabulary]
 * @returns float32 [tokens], in nats
 */
export function addDivergence(graph: Graph, op: Operators, logProbabilities: string): string {
  const input = (name: string, type: DataType, dims: readonly string[]) =>
    graph.addInput(makeValueInfo(name, type, dims));
  const tokens = input(TARGET_INPUTS.tokens, DataType.INT64, ['loss_tokens', 'kept']);
  const probabilities = input(TARGET_INPUTS.probabilities, DataType.FLOAT, ['loss_tokens', 'kept']);
  const rest = input(TARGET_INPUTS.rest, DataType.FLOAT, ['loss_tokens']);
  const negativeEntropy = input(TARGET_INPUTS.negativeEntropy, DataType.FLOAT, ['loss_tokens']);
  const picked = op.squeeze(op.gatherElements(logProbabilities, op.unsqueeze(tokens, [0]), -1), [0]);
  const ofKept = op.reduceSum(op.mul(probabilities, picked), [1], false);
  const left = op.sub(1 + SMALLEST_REST, op.reduceSum(op.exp(picked), [1], false));
  // Rounding may leave less than nothing where the kept tokens take all.
  const ofRest = op.mul(rest, op.log(op.max(left, SMALLEST_REST)));
  return op.sub(negativeEntropy, op.add(ofKept, ofRest));
}

/** Feeds of the targets of a batch. */
export function targetFeeds({ tokens, logProbabilities, kept }: TokenTargets): Feeds {
  const count = tokens.length / kept;
  const probabilities = logProbabilities.map(Math.exp);
  const rest = new Float32Array(count);
  const negativeEntropy = new Float32Array(count);
  for (let token = 0; token < count; token += 1) {
    let sum = 0;
    let entropy = 0;
    for (let place = token * kept; place < (token + 1) * kept; place += 1) {
      sum += probabilities[place]!;
      entropy += probabilities[place]! * logProbabilities[place]!;
    }
    rest[token] = Math.max(0, 1 - sum);
    negativeEntropy[token] = entropy + rest[token]! * Math.log(rest[token]! + SMALLEST_REST);
  }
  return {
    [TARGET_INPUTS.tokens]: int64Tensor(tokens, [count, kept]),
    [TARGET_INPUTS.probabilities]: float32Tensor(probabilities, [count, kept]),
    [TARGET_INPUTS.rest]: float32Tensor(rest, [count]),
    [TARGET_INPUTS.negativeEntropy]: float32Tensor(negativeEntropy, [count]),
  };
}

/** Feeds of the right shapes for finding out types. */
export function targetProbe(count: number, kept: number): Feeds {
  return targetFeeds({
    tokens: Int32Array.from({ length: count * kept }, (_, index) => index % kept),
    logProbabilities: new Float32Array(count * kept).fill(Math.log(0.25)),
    kept,
  });
}
