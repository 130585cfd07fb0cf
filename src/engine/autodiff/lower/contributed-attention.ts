/**
 * What com.microsoft's Attention and MultiHeadAttention share behind their projections: as many heads of keys as of
 * queries, and attributes of the same names (onnxruntime's contributed operators).
 */
import { floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { LoweringContext } from './lowering.js';
import { paddingMask } from './padding-mask.js';
import { causalMask, mergeHeads, scaledDotProduct, scaleOfScores } from './scaled-dot-product.js';

export interface Heads {
  /** [rows, heads, positions or keys, size]. */
  query: string;
  key: string;
  value: string;
  headSize: number;
  valueSize: number;
}

/** @returns [rows, positions, heads * value size] */
export function contributedAttention(
  context: LoweringContext,
  parts: Heads,
  padding: string | undefined,
  scoreBias: string | undefined,
): string {
  const { node } = context;
  const heads = intAttribute(node, 'num_heads', 1);
  const isCausal = intAttribute(node, 'unidirectional', 0) !== 0;
  const fill = floatAttribute(node, 'mask_filter_value', -10000);
  const mixed = scaledDotProduct(context, {
    ...parts,
    heads,
    kvHeads: heads,
    scale: scaleOfScores(context, parts.headSize),
    masks: [
      ...(isCausal ? [causalMask(context, parts.query, parts.key)] : []),
      ...(padding ? [paddingMask(context, padding, fill)] : []),
      ...(scoreBias ? [scoreBias] : []),
    ],
  });
  return mergeHeads(context, mixed, heads * parts.valueSize);
}
