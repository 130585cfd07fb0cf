/** Choosing the next token from logits: the most likely one, or drawn with temperature, top-k and top-p. */

export interface SamplingSettings {
  /** Above 0; 1 leaves the distribution as it is. */
  temperature: number;
  /** Only the k most likely tokens are drawn from; undefined or 0 for all. */
  topK?: number;
  /** Only the most likely tokens that together reach this probability; 1 or undefined for all. */
  topP?: number;
  seed: number;
}

/** A loop, since it is asked of a whole vocabulary for each token. */
export function holdsNaN(values: Float32Array): boolean {
  for (let index = 0; index < values.length; index += 1) if (Number.isNaN(values[index]!)) return true;
  return false;
}

/** Index of the largest logit; the first of several. */
export function greedyToken(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token += 1) if (logits[token]! > logits[best]!) best = token;
  return best;
}

/** @param random uniform in [0, 1) */
export function sampleToken(logits: Float32Array, settings: SamplingSettings, random: number): number {
  const order = Array.from(logits.keys()).toSorted((a, b) => logits[b]! - logits[a]!);
  const kept = settings.topK ? order.slice(0, settings.topK) : order;
  const largest = logits[kept[0]!]!;
  const weights = kept.map((token) => Math.exp((logits[token]! - largest) / settings.temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let count = kept.length;
  if (settings.topP !== undefined && settings.topP < 1) {
    let mass = 0;
    count = weights.findIndex((weight) => (mass += weight) >= settings.topP! * total) + 1 || kept.length;
  }
  const reached = weights.slice(0, count).reduce((sum, weight) => sum + weight, 0);
  let target = random * reached;
  for (let index = 0; index < count; index += 1) {
    target -= weights[index]!;
    if (target < 0) return kept[index]!;
  }
  return kept[count - 1]!;
}

/** A deterministic source of uniform numbers in [0, 1) (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
