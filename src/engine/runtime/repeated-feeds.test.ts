import { describe, expect, it } from 'vitest';
import { rememberFeeds, sameFeeds } from './repeated-feeds.js';
import { float32Tensor } from './tensors.js';

describe('feeds are the same as the last', () => {
  const large = float32Tensor(new Float32Array(70_000), [70_000]);

  it('where small ones hold the same numbers and large ones are the same', () => {
    const seen = rememberFeeds({ scale: float32Tensor([1, 2], [2]), stream: large }, ['scale', 'stream']);
    expect(sameFeeds({ scale: float32Tensor([1, 2], [2]), stream: large }, seen, ['scale', 'stream'])).toBe(
      true,
    );
    const copy = float32Tensor(new Float32Array(70_000), [70_000]);
    expect(sameFeeds({ scale: float32Tensor([1, 2], [2]), stream: copy }, seen, ['scale', 'stream'])).toBe(
      false,
    );
  });

  it('not where numbers were changed in place since', () => {
    const scales = Float32Array.of(1, 2);
    const seen = rememberFeeds({ scale: float32Tensor(scales, [2]) }, ['scale']);
    scales[1] = 3;
    expect(sameFeeds({ scale: float32Tensor(scales, [2]) }, seen, ['scale'])).toBe(false);
  });

  it('not where shapes differ', () => {
    const seen = rememberFeeds({ scale: float32Tensor([1, 2], [2]) }, ['scale']);
    expect(sameFeeds({ scale: float32Tensor([1, 2], [1, 2]) }, seen, ['scale'])).toBe(false);
  });
});
