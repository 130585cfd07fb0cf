/**
 * Attention of the standard operators: query, key, value as [rows, heads, positions, size] or
 * [rows, positions, heads * size]; mask (booleans, or summands of the scores); past (ONNX operator specification,
 * Attention, since opset 23).
 */
import { floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { Lowering } from './lowering.js';
import {
  causalMask,
  MASKED,
  mergeHeads,
  scaledDotProduct,
  scaleOfScores,
  splitHeads,
} from './scaled-dot-product.js';

export const standardAttention: Lowering = {
  operator: 'Attention',
  domain: '',
  lower(context) {
    const { node, input, op, shape, fixedDim } = context;
    if (node.output[3]) context.refuse('it gives out its scores');
    if (input(6)) context.refuse('it is told the lengths of its keys');
    const inputs = [input(0)!, input(1)!, input(2)!] as const;
    const isFlat = shape(inputs[0]).length === 3;
    const heads = isFlat ? intAttribute(node, 'q_num_heads', 1) : fixedDim(inputs[0], 1);
    const kvHeads = isFlat ? intAttribute(node, 'kv_num_heads', heads) : fixedDim(inputs[1], 1);
    const size = (index: 0 | 2) =>
      isFlat ? fixedDim(inputs[index], 2) / (index === 0 ? heads : kvHeads) : fixedDim(inputs[index], 3);
    const [headSize, valueSize] = [size(0), size(2)];
    const [query, key, value] = isFlat
      ? [
          splitHeads(context, inputs[0], heads, headSize),
          splitHeads(context, inputs[1], kvHeads, headSize),
          splitHeads(context, inputs[2], kvHeads, valueSize),
        ]
      : inputs;
    const mask = input(3);
    const isBoolean = mask !== undefined && context.elementType(mask) === 'bool';
    const summand = isBoolean ? op.where(mask, 0, MASKED) : mask;
    const mixed = scaledDotProduct(context, {
      query,
      key,
      value,
      heads,
      kvHeads,
      headSize,
      valueSize,
      scale: scaleOfScores(context, headSize),
      softcap: floatAttribute(node, 'softcap', 0),
      masks: [
        ...(intAttribute(node, 'is_causal', 0) !== 0 ? [causalMask(context, query, key)] : []),
        ...(summand === undefined ? [] : [summand]),
      ],
    });
    return [isFlat ? mergeHeads(context, mixed, heads * valueSize) : mixed, key, value];
  },
};
