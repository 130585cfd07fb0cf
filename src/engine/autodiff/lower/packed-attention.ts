/**
 * com.microsoft.Attention: projections and attention in one. Inputs: x [rows, positions, width], weight [width, sum of
 * the three sizes], bias, mask, past [2, rows, heads, keys, size], bias of the scores (onnxruntime's contributed
 * operators).
 */
import { floatAttribute, intAttribute, intsAttribute } from '../../onnx/attributes.js';
import type { Lowering } from './lowering.js';
import { paddingMask } from './padding-mask.js';
import { causalMask, mergeHeads, scaledDotProduct, splitHeads } from './scaled-dot-product.js';

export const packedAttention: Lowering = {
  operator: 'Attention',
  lower(context) {
    const { node, input, write, fixedDim } = context;
    const [x, weight, bias, mask, scoreBias] = [input(0)!, input(1)!, input(2), input(3), input(5)];
    if (intAttribute(node, 'do_rotary', 0) !== 0) context.refuse('it turns positions inside');
    if (input(6) ?? input(7)) context.refuse('it takes keys and values from outside');
    const heads = intAttribute(node, 'num_heads', 1);
    const width = fixedDim(weight, 1);
    const sizes = intsAttribute(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
    const [headSize, valueSize] = [sizes[0]! / heads, sizes[2]! / heads];
    const product = write.emit('MatMul', [x, weight]);
    const biased = bias ? write.emit('Add', [product, bias]) : product;
    const [query, key, value] = write
      .emitSeveral('Split', [biased, write.integers(sizes)], { axis: -1 }, 3)
      .map((part, index) => splitHeads(context, part, heads, index === 2 ? valueSize : headSize)) as [
      string,
      string,
      string,
    ];
    const mixed = scaledDotProduct(context, {
      query,
      key,
      value,
      heads,
      kvHeads: heads,
      headSize,
      valueSize,
      scale: floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(headSize),
      masks: [
        ...(intAttribute(node, 'unidirectional', 0) !== 0 ? [causalMask(context, query, key)] : []),
        ...(mask ? [paddingMask(context, mask, floatAttribute(node, 'mask_filter_value', -10000))] : []),
        ...(scoreBias ? [scoreBias] : []),
      ],
    });
    const present = [key, value].map((part) => write.emit('Unsqueeze', [part, write.integers([0])]));
    return [mergeHeads(context, mixed, sizes[2]!), write.emit('Concat', present, { axis: 0 })];
  },
};
