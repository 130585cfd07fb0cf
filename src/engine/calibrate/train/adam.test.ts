import { describe, expect, it } from 'vitest';
import { Adam } from './adam.js';
import type { ScaleKey } from '../../decoder/scales.js';

const key: ScaleKey = 'block attention 0';
const offset: ScaleKey = 'offset attention 1';

describe('Adam', () => {
  it('takes the steps that its paper gives', () => {
    const values = new Map([[key, Float32Array.of(1, 1)]]);
    const adam = new Adam();
    const step = (...gradient: number[]) => {
      adam.update(values, new Map([[key, Float32Array.from(gradient)]]), 0.1);
      return [...values.get(key)!];
    };
    // Bias correction makes the first step the learning rate long, whatever the gradient's size.
    expectNear(step(0.5, -20), [0.9, 1.1]);
    // m = .9 * .05 + .1 * .25 = .07, v = .999 * .00025 + .001 * .0625 = .00031225; .07 / .19 and .00031225 / .001999.
    expectNear(step(0.25, -20), [0.9 - (0.1 * 0.368421) / Math.sqrt(0.156203), 1.2]);
    // m = .9 * .07 - .1 = -.037, v = .999 * .00031225 + .001 = .00131193775; -.037 / .271 and / .002997001.
    expectNear(step(-1, -20), [0.806782 + (0.1 * 0.136531) / Math.sqrt(0.43775), 1.3]);
  });

  it('goes on from saved moments as if it had never stopped', () => {
    const gradients = [0.3, -0.7, 0.01, 0.4];
    const run = (stopAfter: number) => {
      const values = new Map([[key, Float32Array.of(1)]]);
      let adam = new Adam();
      gradients.forEach((gradient, index) => {
        if (index === stopAfter) adam = new Adam(JSON.parse(JSON.stringify(adam.save())));
        adam.update(values, new Map([[key, Float32Array.of(gradient)]]), 0.1);
      });
      return values.get(key)![0];
    };
    expect(run(2)).toBe(run(99));
  });

  it('pulls scales towards 1 and offsets towards 0', () => {
    const values = new Map([
      [key, Float32Array.of(1.5, 1)],
      [offset, Float32Array.of(-0.5, 0)],
    ]);
    const none = new Map([
      [key, new Float32Array(2)],
      [offset, new Float32Array(2)],
    ]);
    new Adam().update(values, none, 0.1, { pull: 0.01 });
    expectNear([...values.get(key)!], [1.4, 1]);
    expectNear([...values.get(offset)!], [-0.4, 0]);
  });

  it('forgets the size of old gradients sooner with a lower beta2', () => {
    const values = new Map([[key, Float32Array.of(1)]]);
    const adam = new Adam();
    const step = (gradient: number) => {
      adam.update(values, new Map([[key, Float32Array.of(gradient)]]), 0.1, { beta2: 0.5 });
      return [...values.get(key)!];
    };
    expectNear(step(4), [0.9]);
    // m = .9 * .4 + .1 = .46, v = .5 * 8 + .5 = 4.5; .46 / .19 and 4.5 / .75.
    expectNear(step(1), [0.9 - (0.1 * 2.421053) / Math.sqrt(6)]);
  });

  it('leaves values without a gradient alone', () => {
    const values = new Map([
      [key, Float32Array.of(1)],
      [offset, Float32Array.of(0.25)],
    ]);
    new Adam().update(values, new Map([[key, Float32Array.of(1)]]), 0.1);
    expect([...values.get(offset)!]).toEqual([0.25]);
  });
});

function expectNear(actual: readonly number[], expected: readonly number[]): void {
  expected.forEach((value, index) => expect(actual[index]).toBeCloseTo(value, 5));
}
