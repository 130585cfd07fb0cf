/** The styles of decoder graphs that tests are run on, each mirroring what an exporter writes for a model family. */

export interface DecoderStyle {
  name: string;
  norm: 'rms' | 'layer';
  /** Whether the norm is an operator where the operator set has it (LayerNormalization, from 17), or spelled out. */
  normOperator: boolean;
  /** Whether the embedding's result is normed before the first layer. */
  embeddingNorm: boolean;
  /** Learned positions count from the past's length, or by the mask and from the third row on (OPT). */
  positions: 'rotary' | 'learned' | 'learned-by-mask' | 'alibi';
  /** Part of the head size that is rotated. */
  rotaryPart: number;
  /** Whether queries and keys are normed: each head by itself, or all heads of a token together (OLMo 2). */
  queryKeyNorm: 'none' | 'heads' | 'whole';
  /** Keys that a position sees, itself included; 0 for all before it. */
  window: number;
  /**
   * Query, key and value as three products, as one that is split, as one whose heads are interleaved, or as one that is
   * cut into fewer heads of keys than of queries (Phi 3).
   */
  projections: 'separate' | 'split' | 'interleaved' | 'sliced';
  /** MatMul (bias by Add), or Gemm between two Reshapes (GPT-2's Conv1D). */
  product: 'matmul' | 'gemm';
  biases: 'none' | 'query-key-value' | 'all';
  groupedHeads: boolean;
  /** Also: gate and value in one product (Phi 3), and four experts of which two are chosen (Mixtral). */
  mlp: 'silu-gated' | 'silu-packed' | 'experts' | 'gelu-tanh-gated' | 'gelu-tanh' | 'gelu-erf' | 'relu';
  /** Sequential, or attention and MLP side by side: x + (mlp + attention), or (x + attention) + mlp. */
  residual: 'sequential' | 'parallel' | 'parallel-chained';
  /** Whether the two blocks of a parallel residual read one norm. */
  sharedNorm: boolean;
  cacheLayout: 'separate' | 'packed';
  /** Where the mask takes the number of keys from: the cache input's shape, or that of the first layer's keys. */
  lengthFrom: 'past' | 'keys';
  /** Factor of the embedding (Gemma), with norm gains as 1 + weight. */
  embeddingScale: boolean;
  /** Whether each block norms what it reads; OLMo 2 does not. */
  blockNorm: boolean;
  /** Whether what a block adds is normed (Gemma 2 and 3, OLMo 2). */
  resultNorm: boolean;
  /** Bounds of the scores and of the logits (Gemma 2); 0 for none. */
  caps: { scores: number; logits: number };
  /** Factors of what a block adds and of the logits (Granite). */
  factors: { block: number; logits: number };
  /** Whether the output head is the embedding's table, transposed. */
  tiedHead: boolean;
}

const llama: DecoderStyle = {
  name: 'llama',
  norm: 'rms',
  normOperator: false,
  embeddingNorm: false,
  positions: 'rotary',
  rotaryPart: 1,
  queryKeyNorm: 'none',
  window: 0,
  projections: 'separate',
  product: 'matmul',
  biases: 'none',
  groupedHeads: true,
  mlp: 'silu-gated',
  residual: 'sequential',
  sharedNorm: false,
  cacheLayout: 'separate',
  lengthFrom: 'past',
  embeddingScale: false,
  blockNorm: true,
  resultNorm: false,
  caps: { scores: 0, logits: 0 },
  factors: { block: 1, logits: 1 },
  tiedHead: false,
};

const gpt2: DecoderStyle = {
  ...llama,
  name: 'gpt2',
  norm: 'layer',
  normOperator: true,
  positions: 'learned',
  projections: 'split',
  product: 'gemm',
  biases: 'all',
  groupedHeads: false,
  mlp: 'gelu-tanh',
  cacheLayout: 'packed',
};

const neox: DecoderStyle = {
  ...llama,
  name: 'gpt-neox',
  norm: 'layer',
  normOperator: true,
  rotaryPart: 0.5,
  projections: 'interleaved',
  biases: 'all',
  groupedHeads: false,
  mlp: 'gelu-erf',
  residual: 'parallel',
};

const gemma: DecoderStyle = { ...llama, name: 'gemma', mlp: 'gelu-tanh-gated', embeddingScale: true };

export const decoderStyles: readonly DecoderStyle[] = [
  llama,
  { ...llama, name: 'mistral', window: 3 },
  { ...llama, name: 'qwen2', biases: 'query-key-value', lengthFrom: 'keys' },
  { ...llama, name: 'qwen3', queryKeyNorm: 'heads' },
  gemma,
  { ...gemma, name: 'gemma2', resultNorm: true, caps: { scores: 2, logits: 5 } },
  { ...gemma, name: 'gemma3', resultNorm: true, queryKeyNorm: 'heads' },
  { ...llama, name: 'olmo2', blockNorm: false, resultNorm: true, queryKeyNorm: 'whole' },
  { ...llama, name: 'phi3', projections: 'sliced', mlp: 'silu-packed', window: 4 },
  { ...llama, name: 'granite', factors: { block: 0.4, logits: 2 } },
  { ...llama, name: 'stablelm', norm: 'layer', normOperator: true, rotaryPart: 0.5, groupedHeads: false },
  gpt2,
  { ...gpt2, name: 'gpt2-spelled-out', normOperator: false },
  neox,
  {
    ...neox,
    name: 'phi',
    projections: 'separate',
    mlp: 'gelu-tanh',
    residual: 'parallel-chained',
    sharedNorm: true,
    lengthFrom: 'keys',
  },
  {
    ...neox,
    name: 'falcon',
    projections: 'separate',
    biases: 'none',
    groupedHeads: true,
    sharedNorm: true,
  },
  {
    ...gpt2,
    name: 'opt',
    positions: 'learned-by-mask',
    projections: 'separate',
    product: 'matmul',
    mlp: 'relu',
    cacheLayout: 'separate',
  },
  {
    ...neox,
    name: 'bloom',
    embeddingNorm: true,
    positions: 'alibi',
    mlp: 'gelu-tanh',
    residual: 'sequential',
  },
];

/** Its MLPs are mixtures of experts, which always stay. */
export const mixtral: DecoderStyle = { ...llama, name: 'mixtral', mlp: 'experts' };
