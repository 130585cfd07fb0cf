/** The styles in which onnxruntime-genai's model builder writes decoders, a family each. */

export interface GenaiStyle {
  name: string;
  norm: 'rms' | 'layer';
  /** GroupQueryAttention counts positions and masks by lengths; MultiHeadAttention gets a mask. */
  attention: 'group-query' | 'multi-head';
  /** Whether attention turns queries and keys itself, or RotaryEmbedding nodes before it do. */
  rotary: 'inside' | 'outside';
  /** Elements of each head that are turned. */
  rotated: number;
  packedProjections: boolean;
  biases: boolean;
  queryKeyNorm: boolean;
  /** Keys that every second layer sees; 0 for all. */
  window: number;
  softcap: number;
  /** A logit a head that takes part in the softmax (gpt-oss). */
  sinks: boolean;
  mlp: 'silu' | 'gelu' | 'experts' | 'quantised-experts';
  /** Whether attention and MLP read one norm and are added together (Phi 2). */
  parallel: boolean;
  /** Whether what a block adds is normed too, and the embedding scaled (Gemma 2). */
  resultNorm: boolean;
  /** Whether the embedding's table is the output head's weight, transposed (from builder 0.18 on). */
  tiedHead: boolean;
  /** Whether caches leave their head size open (from builder 0.18 on). */
  openHeadSize: boolean;
}

const llama: GenaiStyle = {
  name: 'llama',
  norm: 'rms',
  attention: 'group-query',
  rotary: 'inside',
  rotated: 16,
  packedProjections: false,
  biases: false,
  queryKeyNorm: false,
  window: 0,
  softcap: 0,
  sinks: false,
  mlp: 'silu',
  parallel: false,
  resultNorm: false,
  tiedHead: false,
  openHeadSize: false,
};

export const genaiStyles: readonly GenaiStyle[] = [
  { ...llama, name: 'mistral', window: 3 },
  { ...llama, name: 'qwen2', packedProjections: true, biases: true },
  { ...llama, name: 'qwen2-tied', packedProjections: true, biases: true, tiedHead: true, openHeadSize: true },
  { ...llama, name: 'qwen3', queryKeyNorm: true, rotary: 'outside' },
  { ...llama, name: 'qwen3-tied', queryKeyNorm: true, rotary: 'outside', tiedHead: true, openHeadSize: true },
  { ...llama, name: 'gemma2', window: 4, softcap: 2, resultNorm: true, mlp: 'gelu' },
  {
    ...llama,
    name: 'phi',
    norm: 'layer',
    attention: 'multi-head',
    rotary: 'outside',
    rotated: 8,
    biases: true,
    mlp: 'gelu',
    parallel: true,
  },
  {
    ...llama,
    name: 'nemotron',
    norm: 'layer',
    attention: 'multi-head',
    rotary: 'outside',
    rotated: 8,
    openHeadSize: true,
  },
  { ...llama, name: 'gpt-oss', window: 3, sinks: true, biases: true, mlp: 'experts' },
  { ...llama, name: 'qwen3-moe', queryKeyNorm: true, mlp: 'quantised-experts' },
];
