/**
 * com.microsoft.MultiHeadAttention: as many heads of keys as of queries. Inputs: query [rows, positions, heads * size],
 * or [rows, positions, heads, 3, size] with all three; key and value likewise (or key [rows, positions, heads, 2, size]
 * with both, or [rows, heads, positions, size]); bias of the projections, key padding mask, bias of the scores, past
 * (onnxruntime's contributed operators).
 */
import { intAttribute } from '../../onnx/graph/attributes.js';
import { contributedAttention, type Heads } from './contributed-attention.js';
import type { Lowering, LoweringContext } from './lowering.js';
import { splitHeads } from './scaled-dot-product.js';

export const multiHeadAttention: Lowering = {
  operator: 'MultiHeadAttention',
  lower(context) {
    const { node, input, shape, fixedDim } = context;
    const heads = intAttribute(node, 'num_heads', 1);
    if (node.output[3]) context.refuse('it gives out its scores');
    const isPacked = shape(input(0)!).length === 5;
    const headSize = isPacked ? fixedDim(input(0)!, 4) : fixedDim(input(0)!, 2) / heads;
    const parts = isPacked ? packedParts(context, heads, headSize) : separateParts(context, heads, headSize);
    return [contributedAttention(context, parts, input(4), input(5)), parts.key, parts.value];
  },
};

function packedParts({ input, op }: LoweringContext, heads: number, headSize: number): Heads {
  const bias = input(3);
  const shaped = bias && op.transpose(op.reshape(bias, [3, heads, headSize]), [1, 0, 2]);
  const packed = shaped === undefined ? input(0)! : op.add(input(0)!, shaped);
  const [query, key, value] = op
    .split(op.transpose(packed, [3, 0, 2, 1, 4]), [1, 1, 1], 0)
    .map((part) => op.squeeze(part, [0])) as [string, string, string];
  return { query, key, value, headSize, valueSize: headSize };
}

function separateParts(context: LoweringContext, heads: number, headSize: number): Heads {
  const { input, op, shape, fixedDim } = context;
  const [key, value] = [input(1), input(2)];
  if (key === undefined || value === undefined || shape(key).length === 5)
    context.refuse('its keys and values are packed');
  const isSplit = shape(value).length === 4;
  const valueSize = isSplit ? fixedDim(value, 3) : fixedDim(value, 2) / heads;
  const sizes = [heads * headSize, heads * headSize, heads * valueSize];
  const biases = input(3) && op.split(input(3)!, sizes, 0);
  const part = (name: string, index: number, size: number) => {
    if (shape(name).length === 4) return name;
    const biased = biases ? op.add(name, biases[index]!) : name;
    return splitHeads(context, biased, heads, size);
  };
  return {
    query: part(input(0)!, 0, headSize),
    key: part(key, 1, headSize),
    value: part(value, 2, valueSize),
    headSize,
    valueSize,
  };
}
