/** Masks of keys that onnxruntime's attention operators take. */
import type { LoweringContext } from './lowering.js';

/**
 * A summand for the scores, [rows, 1, 1 or positions, keys]: 0 where the mask is not zero, the fill value elsewhere.
 * @param mask integers or booleans [rows, keys] or [rows, positions, keys]
 */
export function paddingMask(context: LoweringContext, mask: string, fill: number): string {
  const { write, shape, shared } = context;
  const rank = shape(mask).length;
  if (rank !== 2 && rank !== 3) context.refuse('its mask is given as lengths, not as zeros and ones');
  return shared(`padding mask ${mask} of ${fill}`, () => {
    const seen = write.emit('Cast', [mask], { to: 9 });
    const summand = write.emit('Where', [seen, write.scalar(0), write.scalar(fill)]);
    return write.emit('Unsqueeze', [summand, write.integers(rank === 2 ? [1, 2] : [1])]);
  });
}
