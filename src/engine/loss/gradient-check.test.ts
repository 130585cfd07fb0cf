import { describe, expect, it } from 'vitest';
import { ProviderFailure } from '../../schema/errors.js';
import type { ScaleKey } from '../decoder/scales.js';
import { requireSameGradients } from './gradient-check.js';

const gradients = (...slopes: number[]) =>
  new Map<ScaleKey, Float32Array>([['block mlp 0', Float32Array.from(slopes)]]);

describe("a device's gradients", () => {
  it('may be off as precision makes them', () => {
    expect(() => requireSameGradients('webgpu', gradients(1.001, -2), gradients(1, -2))).not.toThrow();
  });

  it.each([
    ['others', [1, 2]],
    ['far too long', [15_000, -30_000]],
    ['not numbers', [NaN, -2]],
  ])('are refused where they are %s', (_, slopes) => {
    expect(() => requireSameGradients('webgpu', gradients(...slopes), gradients(1, -2))).toThrow(
      ProviderFailure,
    );
  });
});
