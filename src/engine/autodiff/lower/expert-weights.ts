/** The weight of one expert, [out, in], out of those of all, which may be quantised. */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { dequantisedRows } from '../dequantised-rows.js';
import type { LoweringContext } from './lowering.js';

interface ExpertWeights {
  /** [experts, out, in], or packed along the last axis. */
  weight: string;
  /** [experts, out] or [experts, out, blocks]. */
  scales: string | undefined;
  /** Packed as the weights are; half of the range where there are none. */
  zeroPoints: string | undefined;
}

/** The smallest block that onnxruntime dequantises. */
const SMALLEST_BLOCK = 16;

export function expertWeight(context: LoweringContext, expert: number, weights: ExpertWeights): string {
  const { node, op, shape, fixedDim } = context;
  const { weight, scales, zeroPoints } = weights;
  const own = (value: string) => op.gather(value, op.integer(expert), 0);
  if (scales === undefined) return own(weight);
  const bits = intAttribute(node, 'expert_weight_bits', 4);
  const outer = fixedDim(weight, 1);
  const inner = (fixedDim(weight, 2) * 8) / bits;
  const givenBlocks = shape(scales).length === 3 ? fixedDim(scales, 2) : 1;
  const isWhole = givenBlocks === 1;
  const blockSize = isWhole ? SMALLEST_BLOCK : inner / givenBlocks;
  if (inner % blockSize !== 0 || (isWhole && zeroPoints))
    context.refuse('its weights are quantised in a way that is not known');
  const column = op.reshape(own(scales), [outer, -1]);
  return dequantisedRows(op, outer, {
    packed: own(weight),
    scales: isWhole ? op.expand(column, [outer, inner / blockSize]) : column,
    zeroPoints: zeroPoints && own(zeroPoints),
    bits,
    blockSize,
  });
}
