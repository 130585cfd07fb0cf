/** Memory of results that is given back before the garbage collector comes by. */
import { expect, it } from 'vitest';
import { DataType } from '../onnx/graph/data-types.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { additionModel } from './addition-model.js';
import { freeTensor } from './free-tensor.js';
import { openSession } from './session.js';
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

it('keeps no copies of what a run writes into given tensors', async () => {
  const model = additionModel();
  model.graph.input = [makeValueInfo('x', DataType.FLOAT, [1e6])];
  model.graph.output = [makeValueInfo('y', DataType.FLOAT, [1e6])];
  const session = await openSession(model);
  const x = float32Tensor(new Float32Array(1e6).fill(3), [1e6]);
  const given = float32Tensor(new Float32Array(1e6), [1e6]);
  const before = process.memoryUsage().arrayBuffers;
  const most: number[] = [];
  for (let count = 0; count < 40; count += 1) {
    const { y } = await session.run({ x }, ['y'], { y: given });
    expect(y).toBe(given);
    most.push(process.memoryUsage().arrayBuffers - before);
  }
  await session.release();
  expect((given.data as Float32Array)[7]).toBe(6);
  expect(Math.max(...most)).toBeLessThan(2e7);
});
