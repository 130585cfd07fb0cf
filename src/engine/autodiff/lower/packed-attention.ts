/**
 * com.microsoft.Attention: projections and attention in one. Inputs: x [rows, positions, width], weight [width, sum of
 * the three sizes], bias, mask, past [2, rows, heads, keys, size], bias of the scores (onnxruntime's contributed
 * operators).
 */
import { intAttribute, intsAttribute } from '../../onnx/graph/attributes.js';
import { contributedAttention } from './contributed-attention.js';
import type { Lowering } from './lowering.js';
import { splitHeads } from './scaled-dot-product.js';

export const packedAttention: Lowering = {
  operator: 'Attention',
  lower(context) {
    const { node, input, op, fixedDim } = context;
    const [x, weight, bias, mask, scoreBias] = [input(0)!, input(1)!, input(2), input(3), input(5)];
    if (intAttribute(node, 'do_rotary', 0) !== 0) context.refuse('it turns positions inside');
    if (input(6) ?? input(7)) context.refuse('it takes keys and values from outside');
    const heads = intAttribute(node, 'num_heads', 1);
    const width = fixedDim(weight, 1);
    const sizes = intsAttribute(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
    const [headSize, valueSize] = [sizes[0]! / heads, sizes[2]! / heads];
    const product = op.matMul(x, weight);
    const biased = bias ? op.add(product, bias) : product;
    const [query, key, value] = op
      .split(biased, sizes, -1)
      .map((part, index) => splitHeads(context, part, heads, index === 2 ? valueSize : headSize)) as [
      string,
      string,
      string,
    ];
    const parts = { query, key, value, headSize, valueSize };
    const present = [key, value].map((part) => op.unsqueeze(part, [0]));
    return [contributedAttention(context, parts, mask, scoreBias), op.concat(present, 0)];
  },
};
