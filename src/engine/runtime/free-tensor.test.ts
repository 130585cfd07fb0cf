/** Memory of results that is given back before the garbage collector comes by. */
import { expect, it } from 'vitest';
import { freeTensor } from './free-tensor.js';
import { float32Tensor } from './tensors.js';

it('gives memory back at once', () => {
  const before = process.memoryUsage().arrayBuffers;
  const most: number[] = [];
  for (let count = 0; count < 40; count += 1) {
    const tensor = float32Tensor(new Float32Array(1e6).fill(1), [1e6]);
    freeTensor(tensor);
    expect((tensor.data as Float32Array).length).toBe(0);
    most.push(process.memoryUsage().arrayBuffers - before);
  }
  // 40 of 4 MB each.
  expect(Math.max(...most)).toBeLessThan(2e7);
});

it('leaves a buffer alone that holds more than the tensor', () => {
  const all = Float32Array.from([1, 2, 3, 4]);
  freeTensor(float32Tensor(all.subarray(0, 2), [2]));
  expect([...all]).toEqual([1, 2, 3, 4]);
});
