/**
 * Attention out of primitive operators: softmax(q k^T * scale + mask) v, heads grouped where there are fewer keys than
 * queries (grouped-query attention, arXiv 2305.13245).
 */
import { floatAttribute } from '../../onnx/graph/attributes.js';
import type { Operators } from '../../onnx/graph/operators.js';
import type { LoweringContext } from './lowering.js';

/** Far below every score, and far from overflow: no row is masked altogether. */
export const MASKED = -1e30;

export interface DotProduct {
  /** [rows, heads, positions, head size]. */
  query: string;
  /** [rows, key-value heads, keys, head size]. */
  key: string;
  /** [rows, key-value heads, keys, value size]. */
  value: string;
  heads: number;
  kvHeads: number;
  headSize: number;
  valueSize: number;
  scale: number;
  /** Scores become cap * tanh(score / cap); 0 for no cap. */
  softcap?: number;
  /** Summands that broadcast over [rows, heads, positions, keys]. */
  masks: readonly string[];
  /** A logit a head, [heads], that takes part in the softmax and adds nothing. */
  sink?: string | undefined;
}

/** @returns [rows, heads, positions, value size] */
export function scaledDotProduct({ op }: LoweringContext, parts: DotProduct): string {
  const { heads, kvHeads, headSize, valueSize, softcap = 0, masks, sink } = parts;
  const isGrouped = heads !== kvHeads;
  // A group's queries are rows of one product: [rows, key-value heads, group * positions, ...].
  const group = (value: string, size: number) =>
    isGrouped ? op.reshape(value, [0, kvHeads, -1, size]) : value;
  const ungroup = (value: string, size: number) =>
    isGrouped ? op.reshape(value, [0, heads, -1, size]) : value;

  const query = op.scale(parts.query, parts.scale);
  const turned = op.transpose(parts.key, [0, 1, 3, 2]);
  let scores = ungroup(op.matMul(group(query, headSize), turned), 0);
  if (softcap > 0) scores = op.mul(op.tanh(op.div(scores, softcap)), softcap);
  for (const mask of masks) scores = op.add(scores, mask);
  const weights = sink === undefined ? op.softmax(scores) : softmaxWithSink(op, scores, sink, heads);
  return ungroup(op.matMul(group(weights, 0), parts.value), valueSize);
}

/** The attribute, or one over the root of the head size. */
export function scaleOfScores({ node }: LoweringContext, headSize: number): number {
  return floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(headSize);
}

/** The softmax of the scores and one more column, the sink's, which is cut off again. */
function softmaxWithSink(op: Operators, scores: string, sink: string, heads: number): string {
  const oneColumn = op.concat([op.gather(op.shape(scores), [0, 1, 2], 0), op.integers([1])], 0);
  const column = op.expand(op.reshape(sink, [1, heads, 1, 1]), oneColumn);
  return op.slice(op.softmax(op.concat([scores, column], -1)), [0], [-1], [3]);
}

/**
 * 0 where a position may attend to a key, a very low number elsewhere: float32 [positions, keys].
 * @param window keys that each position sees, itself included; all before it if undefined
 */
export function causalMask(context: LoweringContext, like: string, keys: string, window?: number): string {
  const { op, shared } = context;
  return shared(`causal mask of ${window ?? 'all'} keys`, () => {
    const lengthOf = (value: string) => op.squeeze(op.gather(op.shape(value), [2], 0));
    const positions = lengthOf(like);
    const total = lengthOf(keys);
    const query = op.add(op.range(positions), op.sub(total, positions));
    const distance = op.sub(op.unsqueeze(query, [1]), op.unsqueeze(op.range(total), [0]));
    const isLater = op.less(distance, op.integer(0));
    const hidden =
      window === undefined ? isLater : op.or(isLater, op.greater(distance, op.integer(window - 1)));
    return op.where(hidden, MASKED, 0);
  });
}

/** [rows, positions, heads * size] to [rows, heads, positions, size]. */
export function splitHeads({ op }: LoweringContext, value: string, heads: number, size: number): string {
  return op.transpose(op.reshape(value, [0, 0, heads, size]), [0, 2, 1, 3]);
}

/** [rows, heads, positions, size] to [rows, positions, heads * size]. */
export function mergeHeads({ op }: LoweringContext, value: string, width: number): string {
  return op.reshape(op.transpose(value, [0, 2, 1, 3]), [0, 0, width]);
}
