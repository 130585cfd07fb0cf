/** Operators with inputs on which a lowering is compared with onnxruntime's own operator. */
import { float, type AttributeValue } from '../../onnx/graph/attributes.js';

/** An input: random numbers, a constant, bytes, or the values given. */
export type Input =
  | { x: readonly number[] }
  | { constant: readonly number[] }
  | { bytes: readonly number[]; signed?: boolean }
  | { int32: readonly number[]; dims: readonly number[] }
  | { int64: readonly number[]; dims: readonly number[] }
  | { bool: readonly number[]; dims: readonly number[] }
  | undefined;

export interface LoweringCase {
  operator: string;
  domain?: string;
  inputs: readonly Input[];
  attributes?: Record<string, AttributeValue>;
  /** Which outputs are asked for and compared; default: the first. */
  outputs?: readonly number[];
  /** How far values may differ, as a share of the largest; default 1e-5. */
  tolerance?: number;
}

const [ROWS, POSITIONS, HEADS, GROUPS, SIZE] = [2, 5, 4, 2, 16];
const flat = (heads: number) => ({ x: [ROWS, POSITIONS, heads * SIZE] });
const split = (heads: number) => ({ x: [ROWS, heads, POSITIONS, SIZE] });
const cache = (rotated = SIZE) => ({ constant: [16, rotated / 2] });
const lengths = { int32: Array.from({ length: ROWS }, () => POSITIONS - 1), dims: [ROWS] };
const total = { int32: [POSITIONS], dims: [] };
const ids = { int64: [0, 1, 2, 3, 4, 2, 3, 4, 5, 6], dims: [ROWS, POSITIONS] };
const padding = { int32: [0, 1, 1, 1, 1, 1, 1, 1, 1, 1], dims: [ROWS, POSITIONS] };

const grouped = { num_heads: HEADS, kv_num_heads: GROUPS };
const past = [undefined, undefined];

export const loweringCases: Record<string, LoweringCase> = {
  GroupQueryAttention: {
    operator: 'GroupQueryAttention',
    inputs: [flat(HEADS), flat(GROUPS), flat(GROUPS), ...past, lengths, total],
    attributes: grouped,
    outputs: [0, 1, 2],
  },
  'GroupQueryAttention with rotary positions': {
    operator: 'GroupQueryAttention',
    inputs: [flat(HEADS), flat(GROUPS), flat(GROUPS), ...past, lengths, total, cache(), cache()],
    attributes: { ...grouped, do_rotary: 1, scale: float(0.3) },
    outputs: [0, 1, 2],
  },
  'GroupQueryAttention packed, interleaved, capped': {
    operator: 'GroupQueryAttention',
    inputs: [flat(HEADS + 2 * GROUPS), undefined, undefined, ...past, lengths, total, cache(), cache()],
    attributes: { ...grouped, do_rotary: 1, rotary_interleaved: 1, softcap: float(0.5) },
    outputs: [0, 1, 2],
  },
  'GroupQueryAttention with position ids': {
    operator: 'GroupQueryAttention',
    inputs: [
      flat(HEADS),
      flat(GROUPS),
      flat(GROUPS),
      ...past,
      lengths,
      total,
      cache(),
      cache(),
      { int64: [2, 3, 4, 5, 6, 2, 3, 4, 5, 6], dims: [ROWS, POSITIONS] },
    ],
    attributes: { ...grouped, do_rotary: 1 },
    outputs: [0, 1, 2],
  },
  'GroupQueryAttention in a window': {
    operator: 'GroupQueryAttention',
    inputs: [flat(HEADS), flat(GROUPS), flat(GROUPS), ...past, lengths, total],
    attributes: { ...grouped, local_window_size: 2 },
  },
  'GroupQueryAttention with one head of keys, sinks and a bias of the scores': {
    operator: 'GroupQueryAttention',
    inputs: [
      flat(HEADS),
      flat(1),
      flat(1),
      ...past,
      lengths,
      total,
      undefined,
      undefined,
      undefined,
      { x: [1, 1, POSITIONS, POSITIONS] },
      { x: [HEADS] },
    ],
    attributes: { num_heads: HEADS, kv_num_heads: 1 },
  },
  'GroupQueryAttention with a smooth softmax': {
    operator: 'GroupQueryAttention',
    inputs: [flat(HEADS), flat(HEADS), flat(HEADS), ...past, lengths, total],
    attributes: { num_heads: HEADS, kv_num_heads: HEADS, smooth_softmax: 1 },
  },
  'Conv of each channel by itself': {
    operator: 'Conv',
    domain: '',
    inputs: [{ x: [ROWS, 6, POSITIONS] }, { x: [6, 1, 3] }, { x: [6] }],
    attributes: { group: 6, kernel_shape: [3], pads: [2, 0] },
  },
  CausalConvWithState: {
    operator: 'CausalConvWithState',
    inputs: [{ x: [ROWS, 6, POSITIONS] }, { x: [6, 1, 3] }, { x: [6] }],
    attributes: { ndim: 1, activation: 'silu' },
    outputs: [0, 1],
  },
  MultiHeadAttention: {
    operator: 'MultiHeadAttention',
    inputs: [flat(HEADS), flat(HEADS), flat(HEADS)],
    attributes: { num_heads: HEADS },
  },
  'MultiHeadAttention with biases, padding and a bias of the scores': {
    operator: 'MultiHeadAttention',
    inputs: [
      flat(HEADS),
      flat(HEADS),
      flat(HEADS),
      { x: [3 * HEADS * SIZE] },
      { int32: padding.int32, dims: padding.dims },
      { x: [1, HEADS, POSITIONS, POSITIONS] },
    ],
    attributes: { num_heads: HEADS, scale: float(0.2) },
  },
  'MultiHeadAttention, causal': {
    operator: 'MultiHeadAttention',
    inputs: [flat(HEADS), flat(HEADS), flat(HEADS)],
    attributes: { num_heads: HEADS, unidirectional: 1 },
  },
  'MultiHeadAttention with split keys and values': {
    operator: 'MultiHeadAttention',
    inputs: [flat(HEADS), split(HEADS), split(HEADS)],
    attributes: { num_heads: HEADS },
  },
  Attention: {
    operator: 'Attention',
    inputs: [{ x: [ROWS, POSITIONS, 12] }, { constant: [12, 3 * HEADS * SIZE] }, { x: [3 * HEADS * SIZE] }],
    attributes: { num_heads: HEADS, unidirectional: 1 },
    outputs: [0, 1],
  },
  'Attention with a mask': {
    operator: 'Attention',
    inputs: [
      { x: [ROWS, POSITIONS, 12] },
      { constant: [12, 3 * HEADS * SIZE] },
      { x: [3 * HEADS * SIZE] },
      padding,
    ],
    attributes: { num_heads: HEADS, unidirectional: 1 },
  },
  'standard Attention': {
    operator: 'Attention',
    domain: '',
    inputs: [flat(HEADS), flat(GROUPS), flat(GROUPS)],
    attributes: { q_num_heads: HEADS, kv_num_heads: GROUPS, is_causal: 1 },
  },
  'standard Attention of split heads with a mask and a cap': {
    operator: 'Attention',
    domain: '',
    inputs: [split(HEADS), split(GROUPS), split(GROUPS), { x: [POSITIONS, POSITIONS] }],
    attributes: { scale: float(0.4), softcap: float(0.7) },
  },
  'standard Attention with a mask of booleans': {
    operator: 'Attention',
    domain: '',
    inputs: [
      split(HEADS),
      split(GROUPS),
      split(GROUPS),
      { bool: Array.from({ length: 25 }, (_, i) => Number(i % 5 <= i / 5)), dims: [POSITIONS, POSITIONS] },
    ],
  },
  RotaryEmbedding: {
    operator: 'RotaryEmbedding',
    inputs: [flat(HEADS), ids, cache(), cache()],
  },
  'RotaryEmbedding of split heads from a first position': {
    operator: 'RotaryEmbedding',
    inputs: [split(HEADS), { int64: [3], dims: [1] }, cache(), cache()],
    attributes: { interleaved: 1 },
  },
  'RotaryEmbedding of a part': {
    operator: 'RotaryEmbedding',
    inputs: [flat(HEADS), ids, cache(4), cache(4)],
    attributes: { num_heads: HEADS, rotary_embedding_dim: 4 },
  },
  'standard RotaryEmbedding': {
    operator: 'RotaryEmbedding',
    domain: '',
    inputs: [split(HEADS), cache(4), cache(4), ids],
    attributes: { rotary_embedding_dim: 4 },
  },
  'standard RotaryEmbedding with caches by position': {
    operator: 'RotaryEmbedding',
    domain: '',
    inputs: [flat(HEADS), { x: [ROWS, POSITIONS, SIZE / 2] }, { x: [ROWS, POSITIONS, SIZE / 2] }],
    attributes: { num_heads: HEADS, interleaved: 1 },
  },
  Gelu: { operator: 'Gelu', inputs: [{ x: [3, 7] }] },
  BiasGelu: { operator: 'BiasGelu', inputs: [{ x: [2, 3, 7] }, { x: [7] }] },
  FastGelu: { operator: 'FastGelu', inputs: [{ x: [3, 7] }] },
  'FastGelu with bias': { operator: 'FastGelu', inputs: [{ x: [3, 7] }, { x: [7] }] },
  QuickGelu: { operator: 'QuickGelu', inputs: [{ x: [3, 7] }] },
  'QuickGelu as SiLU': {
    operator: 'QuickGelu',
    inputs: [{ x: [3, 7] }],
    attributes: { alpha: float(1) },
  },
  FusedMatMul: { operator: 'FusedMatMul', inputs: [{ x: [2, 3, 4] }, { x: [2, 4, 5] }] },
  'FusedMatMul, both turned': {
    operator: 'FusedMatMul',
    inputs: [{ x: [2, 4, 3] }, { x: [2, 5, 4] }],
    attributes: { transA: 1, transB: 1, alpha: float(0.5) },
  },
  'MoE, whose experts have interleaved gates': {
    operator: 'MoE',
    inputs: [
      { x: [2, 5, 8] },
      { x: [10, 4] },
      { constant: [4, 12, 8] },
      { constant: [4, 12] },
      { constant: [4, 8, 6] },
      { constant: [4, 8] },
    ],
    attributes: {
      k: 2,
      activation_type: 'swiglu',
      swiglu_fusion: 1,
      activation_alpha: float(1.702),
      activation_beta: float(1),
      swiglu_limit: float(0.9),
      normalize_routing_weights: 1,
    },
  },
  ...Object.fromEntries(
    ['relu', 'silu', 'gelu', 'identity'].map((activation): [string, LoweringCase] => [
      `MoE with ${activation}`,
      {
        operator: 'MoE',
        inputs: [{ x: [7, 8] }, { x: [7, 3] }, { constant: [3, 6, 8] }, undefined, { constant: [3, 8, 6] }],
        attributes: { k: 1, activation_type: activation },
      },
    ]),
  ),
  'QMoE of 4 bits': {
    operator: 'QMoE',
    inputs: [
      { x: [6, 16] },
      { x: [6, 4] },
      { bytes: [4, 32, 8] },
      { constant: [4, 32] },
      undefined,
      { bytes: [4, 16, 8] },
      { constant: [4, 16] },
      { constant: [4, 16] },
    ],
    attributes: {
      k: 2,
      expert_weight_bits: 4,
      activation_type: 'swiglu',
      swiglu_fusion: 1,
    },
  },
  'QMoE of 8 bits in blocks': {
    operator: 'QMoE',
    inputs: [
      { x: [6, 64] },
      { x: [6, 4] },
      { bytes: [4, 64, 64] },
      { constant: [4, 64, 2] },
      undefined,
      { bytes: [4, 64, 64] },
      { constant: [4, 64, 2] },
    ],
    attributes: { k: 2, expert_weight_bits: 8, block_size: 32, activation_type: 'silu' },
    // onnxruntime rounds the activations.
    tolerance: 0.02,
  },
  DynamicQuantizeMatMul: {
    operator: 'DynamicQuantizeMatMul',
    inputs: [
      { x: [2, 3, 16] },
      { bytes: [16, 5], signed: true },
      { constant: [5] },
      { bytes: [5], signed: true },
      { x: [5] },
    ],
    // onnxruntime rounds the activations.
    tolerance: 0.02,
  },
};
