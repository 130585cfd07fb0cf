/**
 * Attention out of primitive operators: softmax(q k^T * scale + mask) v, heads grouped where there are fewer keys than
 * queries (grouped-query attention, arXiv 2305.13245).
 */
import { floatAttribute } from '../../onnx/graph/attributes.js';
import type { LoweringContext } from './lowering.js';

/** Far below every score, and far from overflow: no row is masked altogether. */
const MASKED = -1e30;

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
export function scaledDotProduct({ write }: LoweringContext, parts: DotProduct): string {
  const { heads, kvHeads, headSize, valueSize, softcap = 0, masks, sink } = parts;
  const isGrouped = heads !== kvHeads;
  const reshape = (value: string, dims: number[]) => write.emit('Reshape', [value, write.integers(dims)]);
  // A group's queries are rows of one product: [rows, key-value heads, group * positions, ...].
  const group = (value: string, size: number) => (isGrouped ? reshape(value, [0, kvHeads, -1, size]) : value);
  const ungroup = (value: string, size: number) => (isGrouped ? reshape(value, [0, heads, -1, size]) : value);

  const query = parts.scale === 1 ? parts.query : write.emit('Mul', [parts.query, write.scalar(parts.scale)]);
  const turned = write.emit('Transpose', [parts.key], { perm: [0, 1, 3, 2] });
  let scores = ungroup(write.emit('MatMul', [group(query, headSize), turned]), 0);
  if (softcap > 0) {
    const bounded = write.emit('Tanh', [write.emit('Div', [scores, write.scalar(softcap)])]);
    scores = write.emit('Mul', [bounded, write.scalar(softcap)]);
  }
  for (const mask of masks) scores = write.emit('Add', [scores, mask]);
  const weights = sink === undefined ? softmax(write, scores) : softmaxWithSink(write, scores, sink, heads);
  return ungroup(write.emit('MatMul', [group(weights, 0), parts.value]), valueSize);
}

/** The attribute, or one over the root of the head size. */
export function scaleOfScores({ node }: LoweringContext, headSize: number): number {
  return floatAttribute(node, 'scale', 0) || 1 / Math.sqrt(headSize);
}

type Writer = LoweringContext['write'];

function softmax(write: Writer, scores: string): string {
  return write.emit('Softmax', [scores], { axis: -1 });
}

function softmaxWithSink(write: Writer, scores: string, sink: string, heads: number): string {
  const shape = write.emit('Shape', [scores]);
  const rowsAndPositions = write.emit(
    'Concat',
    [write.emit('Gather', [shape, write.integers([0, 1, 2])], { axis: 0 }), write.integers([1])],
    { axis: 0 },
  );
  const column = write.emit('Expand', [
    write.emit('Reshape', [sink, write.integers([1, heads, 1, 1])]),
    rowsAndPositions,
  ]);
  const all = softmax(write, write.emit('Concat', [scores, column], { axis: -1 }));
  return write.emit('Slice', [all, write.integers([0]), write.integers([-1]), write.integers([3])]);
}

/**
 * 0 where a position may attend to a key, a very low number elsewhere: float32 [positions, keys].
 * @param window keys that each position sees, itself included; all before it if undefined
 */
export function causalMask(context: LoweringContext, like: string, keys: string, window?: number): string {
  const { write, shared } = context;
  return shared(`causal mask of ${window ?? 'all'} keys`, () => {
    const scalar = (value: string, axis: number) =>
      write.emit('Squeeze', [write.emit('Gather', [write.emit('Shape', [value]), write.integers([axis])])]);
    const count = (length: string) => write.emit('Range', [write.integer(0), length, write.integer(1)]);
    const positions = scalar(like, 2);
    const total = scalar(keys, 2);
    const past = write.emit('Sub', [total, positions]);
    const query = write.emit('Add', [count(positions), past]);
    const distance = write.emit('Sub', [
      write.emit('Unsqueeze', [query, write.integers([1])]),
      write.emit('Unsqueeze', [count(total), write.integers([0])]),
    ]);
    let hidden = write.emit('Less', [distance, write.integer(0)]);
    if (window !== undefined) {
      const tooFar = write.emit('Greater', [distance, write.integer(window - 1)]);
      hidden = write.emit('Or', [hidden, tooFar]);
    }
    return write.emit('Where', [hidden, write.scalar(MASKED), write.scalar(0)]);
  });
}

/** [rows, positions, heads * size] to [rows, heads, positions, size]. */
export function splitHeads({ write }: LoweringContext, value: string, heads: number, size: number): string {
  const split = write.emit('Reshape', [value, write.integers([0, 0, heads, size])]);
  return write.emit('Transpose', [split], { perm: [0, 2, 1, 3] });
}

/** [rows, heads, positions, size] to [rows, positions, heads * size]. */
export function mergeHeads({ write }: LoweringContext, value: string, width: number): string {
  const turned = write.emit('Transpose', [value], { perm: [0, 2, 1, 3] });
  return write.emit('Reshape', [turned, write.integers([0, 0, width])]);
}
