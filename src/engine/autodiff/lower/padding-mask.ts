/** Masks of keys that onnxruntime's attention operators take. */
import { DataType } from '../../onnx/graph/data-types.js';
import type { LoweringContext } from './lowering.js';

/**
 * A summand for the scores, [rows, 1, 1 or positions, keys]: 0 where the mask is not zero, the fill value elsewhere.
 * @param mask integers or booleans [rows, keys] or [rows, positions, keys]
 */
export function paddingMask(context: LoweringContext, mask: string, fill: number): string {
  const { op, shape, shared } = context;
  const rank = shape(mask).length;
  if (rank !== 2 && rank !== 3) context.refuse('its mask is given as lengths, not as zeros and ones');
  return shared(`padding mask ${mask} of ${fill}`, () => {
    const summand = op.where(op.cast(mask, DataType.BOOL), 0, fill);
    return op.unsqueeze(summand, rank === 2 ? [1, 2] : [1]);
  });
}
