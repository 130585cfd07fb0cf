/** Attention with rotary or other positions, grouped heads and a key-value cache, out of primitive operators. */
import type { DecoderStyle } from './decoder-style.js';
import { END, type GraphWriter } from './graph-writer.js';
import { linear, rmsNorm, softCap } from './layers.js';

export interface AttentionSizes {
  hidden: number;
  heads: number;
  kvHeads: number;
  headSize: number;
}

/** Values that all layers share. */
export interface SharedValues {
  /** int64 scalars. */
  rows: string;
  positions: string;
  /** float32 [rows, positions, rotated size], for rotary positions. */
  rotary: { cos: string; sin: string } | undefined;
  /** Keys seen, past ones included: an int64 scalar. The first layer's keys are given if it wants to know them. */
  totalLength(firstKeys: string): string;
  /** float32, broadcasts over [rows, heads, positions, keys]: added to the scores. */
  mask(totalLength: string): string;
}

export interface PastValues {
  key: string;
  value: string;
}

/** @returns the block's result [rows, positions, hidden], and keys and values with the past ones */
export function attention(
  writer: GraphWriter,
  style: DecoderStyle,
  x: string,
  name: string,
  sizes: AttentionSizes,
  shared: SharedValues,
  past: PastValues | undefined,
  presentNames: { key: string; value: string } | undefined,
): { output: string; key: string; value: string } {
  const projected = project(writer, style, x, name, sizes, shared);
  const query = rotate(writer, style, projected.query, sizes, shared);
  const newKey = rotate(writer, style, projected.key, sizes, shared);
  const append = (before: string | undefined, now: string, output: string | undefined) =>
    before === undefined
      ? writer.op('Identity', [now], {}, output)
      : writer.op('Concat', [before, now], { axis: -2 }, output);
  const key = append(past?.key, newKey, presentNames?.key);
  const value = append(past?.value, projected.value, presentNames?.value);
  const length = shared.totalLength(key);
  const [keys, values] = [key, value].map((part) => repeatHeads(writer, part, sizes, shared, length));
  const transposed = writer.op('Transpose', [keys!], { perm: [0, 1, 3, 2] });
  const product = writer.op('MatMul', [query, transposed]);
  const scaled = writer.op('Div', [product, writer.float(Math.sqrt(sizes.headSize))]);
  const scores = softCap(writer, scaled, style.caps.scores);
  const weights = writer.op('Softmax', [writer.op('Add', [scores, shared.mask(length)])], { axis: 3 });
  const mixed = writer.op('Transpose', [writer.op('MatMul', [weights, values!])], { perm: [0, 2, 1, 3] });
  const merged = sizes.heads * sizes.headSize;
  const joined = writer.op('Reshape', [mixed, writer.shape(shared.rows, shared.positions, merged)]);
  const bias = style.biases === 'all';
  const output = linear(writer, style, joined, `${name}.o_proj`, { from: merged, to: sizes.hidden }, bias);
  return { output, key, value };
}

interface Projected {
  /** [rows, heads, positions, head size] each. */
  query: string;
  key: string;
  value: string;
}

function project(
  writer: GraphWriter,
  style: DecoderStyle,
  x: string,
  name: string,
  sizes: AttentionSizes,
  shared: SharedValues,
): Projected {
  const { hidden, heads, kvHeads, headSize } = sizes;
  const bias = style.biases !== 'none';
  const product = (part: string, to: number) =>
    linear(writer, style, x, `${name}.${part}`, { from: hidden, to }, bias);
  const normed = (value: string, part: string, size: number, when: 'heads' | 'whole') =>
    style.queryKeyNorm === when ? rmsNorm(writer, style, value, `${name}.${part}_norm`, size) : value;
  const toHeads = (value: string, count: number, part?: 'q' | 'k') => {
    const whole = part ? normed(value, part, count * headSize, 'whole') : value;
    const split = writer.op('Reshape', [whole, writer.shape(shared.rows, shared.positions, count, headSize)]);
    const byHead = part ? normed(split, part, headSize, 'heads') : split;
    return writer.op('Transpose', [byHead], { perm: [0, 2, 1, 3] });
  };
  if (style.projections === 'separate') {
    return {
      query: toHeads(product('q_proj', heads * headSize), heads, 'q'),
      key: toHeads(product('k_proj', kvHeads * headSize), kvHeads, 'k'),
      value: toHeads(product('v_proj', kvHeads * headSize), kvHeads),
    };
  }
  if (style.projections === 'sliced') {
    const counts = [heads, kvHeads, kvHeads];
    const ends = counts.map((_, index) => headSize * counts.slice(0, index + 1).reduce((a, b) => a + b));
    const packed = product('qkv_proj', ends[2]!);
    const [query, key, value] = ends.map((end, index) =>
      toHeads(writer.slice(packed, end - counts[index]! * headSize, end, 2), counts[index]!),
    );
    return { query: query!, key: key!, value: value! };
  }
  const all = product('query_key_value', 3 * heads * headSize);
  if (style.projections === 'split') {
    const [query, key, value] = writer.split(
      all,
      [1, 1, 1].map(() => heads * headSize),
      2,
    );
    return { query: toHeads(query!, heads), key: toHeads(key!, heads), value: toHeads(value!, heads) };
  }
  const shape = writer.shape(shared.rows, shared.positions, heads, 3 * headSize);
  const interleaved = writer.op('Transpose', [writer.op('Reshape', [all, shape])], { perm: [0, 2, 1, 3] });
  const part = (index: number) => writer.slice(interleaved, index * headSize, (index + 1) * headSize, 3);
  return { query: part(0), key: part(1), value: part(2) };
}

/** Rotary positions in the halves layout: x cos + rotate(x) sin, on the first part of each head. */
function rotate(
  writer: GraphWriter,
  style: DecoderStyle,
  x: string,
  sizes: AttentionSizes,
  shared: SharedValues,
): string {
  if (!shared.rotary) return x;
  const size = rotatedSize(style, sizes.headSize);
  const rotated = size < sizes.headSize ? writer.slice(x, 0, size, 3) : x;
  const cos = writer.unsqueeze(shared.rotary.cos, 1);
  const sin = writer.unsqueeze(shared.rotary.sin, 1);
  const second = writer.op('Neg', [writer.slice(rotated, size / 2, END, 3)]);
  const swapped = writer.op('Concat', [second, writer.slice(rotated, 0, size / 2, 3)], { axis: -1 });
  const sum = writer.op('Add', [writer.op('Mul', [rotated, cos]), writer.op('Mul', [swapped, sin])]);
  if (size === sizes.headSize) return sum;
  return writer.op('Concat', [sum, writer.slice(x, size, END, 3)], { axis: -1 });
}

/** Elements of each head that are rotated. */
export function rotatedSize(style: DecoderStyle, headSize: number): number {
  return Math.max(2, 2 * Math.floor((headSize * style.rotaryPart) / 2));
}

/** Grouped heads are repeated by Expand and Reshape, as Transformers' repeat_kv is exported. */
function repeatHeads(
  writer: GraphWriter,
  x: string,
  sizes: AttentionSizes,
  shared: SharedValues,
  length: string,
): string {
  const { heads, kvHeads, headSize } = sizes;
  if (heads === kvHeads) return x;
  const shape = writer.shape(shared.rows, kvHeads, heads / kvHeads, length, headSize);
  const expanded = writer.op('Expand', [writer.unsqueeze(x, 2), shape]);
  return writer.op('Reshape', [expanded, writer.shape(shared.rows, heads, length, headSize)]);
}
