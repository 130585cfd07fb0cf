/**
 * Whether another device gives the gradients that the CPU gives. There are drivers and kernels that compute the loss
 * right and its gradient wrong, and scales that have learnt from that look like those of a bad choice of blocks.
 */
import { ProviderFailure } from '../../schema/errors.js';
import type { Provider } from '../../schema/settings.js';
import type { ScaleKey } from '../decoder/scales.js';

/** How far gradients may be apart, relative to their length: products in reduced precision stay far below. */
const TOLERANCE = 0.05;

type Gradients = ReadonlyMap<ScaleKey, Float32Array>;

/** @throws ProviderFailure if they are further apart than precision explains */
export function requireSameGradients(provider: Provider, own: Gradients, cpu: Gradients): void {
  let difference = 0;
  let size = 0;
  for (const [key, expected] of cpu) {
    const actual = own.get(key)!;
    expected.forEach((slope, index) => {
      difference += (actual[index]! - slope) ** 2;
      size += slope ** 2;
    });
  }
  if (Math.sqrt(difference) <= TOLERANCE * Math.sqrt(size)) return;
  throw new ProviderFailure(
    provider,
    "the gradients that it computes for this model are not the CPU's",
    'use the CPU',
  );
}
