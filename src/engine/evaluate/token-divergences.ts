/** How far distributions over the vocabulary are from others, token by token. */
import type { ResultsWithLogits } from '../loss/forward-model.js';
import type { LossBatch } from '../loss/loss-batch.js';

/**
 * KL(original || measured) at each response token, in nats. The softmax's normalisers follow from the tokens' losses, which
 * onnxruntime has computed: a vocabulary is gone through once.
 */
export function tokenDivergences(
  expected: ResultsWithLogits,
  actual: ResultsWithLogits,
  batch: LossBatch,
): Float64Array {
  const width = expected.logits.length / batch.labels.length;
  return Float64Array.from(batch.labels, (label, token) => {
    const range = [token * width, (token + 1) * width] as const;
    const [own, other] = [expected, actual].map(({ logits, tokenLosses }) => ({
      logits: logits.subarray(...range),
      normaliser: tokenLosses[token]! + logits[range[0] + label]!,
    }));
    return divergence(own!, other!);
  });
}

/** Logits of a token, and the logarithm of the sum of their exponentials. */
interface Distribution {
  logits: Float32Array;
  normaliser: number;
}

/** KL divergence of the softmax of the second logits from that of the first, in nats. */
export function klDivergence(expected: Float32Array, actual: Float32Array): number {
  const distribution = (logits: Float32Array) => ({ logits, normaliser: logSumExp(logits) });
  return divergence(distribution(expected), distribution(actual));
}

// Loops by index: a vocabulary is long, and iterators take several times as long.

function divergence(expected: Distribution, actual: Distribution): number {
  const { logits, normaliser } = expected;
  const others = actual.logits;
  let sum = 0;
  for (let token = 0; token < logits.length; token += 1) {
    const logProbability = logits[token]! - normaliser;
    sum += Math.exp(logProbability) * (logProbability - (others[token]! - actual.normaliser));
  }
  return Math.max(0, sum);
}

/** The logarithm of the sum of exponentials: a softmax's normaliser. */
export function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (let token = 0; token < logits.length; token += 1)
    if (logits[token]! > largest) largest = logits[token]!;
  let sum = 0;
  for (let token = 0; token < logits.length; token += 1) sum += Math.exp(logits[token]! - largest);
  return largest + Math.log(sum);
}
