/** How far a slimmed model is from its original, in words of those who know quantised files. */

/**
 * Up to which mean divergence (KL, nats a token) which file is that far from its own original: the types of llama.cpp,
 * with bounds between the figures of its perplexity tool's table (docs/method.md).
 */
const FILES: readonly (readonly [upTo: number, file: string])[] = [
  [0.0027, 'a Q8 file'],
  [0.0077, 'a Q6 file'],
  [0.026, 'a Q5 file'],
  [0.0725, 'a Q4 file'],
  [0.3, 'a Q3 file'],
  [0.6, 'a Q2 file'],
];

/** 'as far from the original as a Q4 file usually is'. @param divergence mean KL divergence in nats a token */
export function closenessWords(divergence: number): string {
  const file = FILES.find(([upTo]) => divergence <= upTo)?.[1];
  return file === undefined
    ? 'farther from the original than a Q2 file usually is'
    : `as far from the original as ${file} usually is`;
}
