/** Families of decoders: one entry of facts each. Names of weights and sizes are the same for all (names.ts, quantities.ts). */

export interface Family {
  /** As people call it. */
  name: string;
  /** config.json's model_type. */
  modelType: string;
  /** config.json's architecture. */
  architecture: string;
  /** The type in genai_config.json; 'decoder' where onnxruntime-genai has no name for it. */
  genaiType: string;
  /** general.architecture of GGUF files; absent where such files say 'llama'. */
  gguf?: string;
  norm: 'rms' | 'layer';
  /** Where blocks have norms: before them, before and after, or after alone. */
  norms: 'before' | 'both' | 'after';
  /** Norms of queries and keys: one of each head, or one over all heads. */
  queryKeyNorm?: 'head' | 'all';
  activation: 'silu' | 'gelu-tanh';
  /** Whether the MLP has one product where others have a gate, too. */
  hasPlainMlp?: boolean;
  /** Whether positions are rows of a table that are added to the embedding, and nothing is turned. */
  hasLearnedPositions?: boolean;
  /** Hugging Face's files keep the layers' weights as [inputs, outputs]. */
  transposedInConfig?: boolean;
  /** Whether the file says of each layer if it has attention or a short convolution. */
  hasConvolutions?: boolean;
  /** llama.cpp reorders rows of queries and keys: pairs that are turned together lie side by side. */
  interleavedInGguf?: boolean;
  /** Hugging Face's files keep norms' gains less 1; GGUF files hold them whole. */
  gainsLessOne?: boolean;
  /** Whether the embedding is multiplied by the root of its width. */
  scalesEmbedding?: boolean;
  /** Every so-manieth layer sees all positions, the others a window. 1: all have the window; absent: none has. */
  fullEvery?: number;
  /** Every so-manieth layer is not told positions. */
  unturnedEvery?: number;
  /**
   * The number of layers of the one size whose scores are scaled by the stream's width a head, and not by the head's size;
   * GGUF files do not say so.
   */
  layersScaledByWidth?: number;
  /** What turns windowed layers, where it is another frequency. */
  localTheta?: number;
  theta: number;
  tied: boolean;
}

const plain = {
  norm: 'rms',
  norms: 'before',
  activation: 'silu',
  theta: 10_000,
  tied: false,
} as const satisfies Partial<Family>;

const gemma = {
  ...plain,
  norms: 'both',
  activation: 'gelu-tanh',
  gainsLessOne: true,
  scalesEmbedding: true,
  tied: true,
} as const satisfies Partial<Family>;

export const FAMILIES: readonly Family[] = [
  {
    ...plain,
    name: 'Llama',
    modelType: 'llama',
    architecture: 'LlamaForCausalLM',
    genaiType: 'llama',
    gguf: 'llama',
    interleavedInGguf: true,
  },
  {
    ...plain,
    name: 'Mistral',
    modelType: 'mistral',
    architecture: 'MistralForCausalLM',
    genaiType: 'mistral',
    fullEvery: 1,
  },
  {
    ...plain,
    name: 'SmolLM3',
    modelType: 'smollm3',
    architecture: 'SmolLM3ForCausalLM',
    genaiType: 'smollm3',
    gguf: 'smollm3',
    interleavedInGguf: true,
    unturnedEvery: 4,
    theta: 2_000_000,
    tied: true,
  },
  {
    ...plain,
    name: 'Qwen 2 and 2.5',
    modelType: 'qwen2',
    architecture: 'Qwen2ForCausalLM',
    genaiType: 'qwen2',
    gguf: 'qwen2',
  },
  {
    ...plain,
    name: 'Qwen 3',
    modelType: 'qwen3',
    architecture: 'Qwen3ForCausalLM',
    genaiType: 'qwen3',
    gguf: 'qwen3',
    queryKeyNorm: 'head',
  },
  {
    ...gemma,
    name: 'Gemma 2',
    modelType: 'gemma2',
    architecture: 'Gemma2ForCausalLM',
    genaiType: 'gemma2',
    gguf: 'gemma2',
    layersScaledByWidth: 46,
    fullEvery: 2,
  },
  {
    ...gemma,
    name: 'Gemma 3 (text)',
    modelType: 'gemma3_text',
    architecture: 'Gemma3ForCausalLM',
    genaiType: 'gemma3_text',
    gguf: 'gemma3',
    layersScaledByWidth: 62,
    queryKeyNorm: 'head',
    fullEvery: 6,
    theta: 1_000_000,
    localTheta: 10_000,
  },
  {
    ...plain,
    name: 'Phi-3 and Phi-4-mini',
    modelType: 'phi3',
    architecture: 'Phi3ForCausalLM',
    genaiType: 'phi3',
    gguf: 'phi3',
    fullEvery: 1,
  },
  {
    ...plain,
    name: 'OLMo 2',
    modelType: 'olmo2',
    architecture: 'Olmo2ForCausalLM',
    genaiType: 'decoder',
    gguf: 'olmo2',
    norms: 'after',
    queryKeyNorm: 'all',
    theta: 500_000,
  },
  {
    ...plain,
    name: 'Granite',
    modelType: 'granite',
    architecture: 'GraniteForCausalLM',
    genaiType: 'granite',
    gguf: 'granite',
    interleavedInGguf: true,
  },
  {
    ...plain,
    name: 'StableLM',
    modelType: 'stablelm',
    architecture: 'StableLmForCausalLM',
    genaiType: 'decoder',
    gguf: 'stablelm',
    norm: 'layer',
  },
  {
    ...plain,
    name: 'GPT-2',
    modelType: 'gpt2',
    architecture: 'GPT2LMHeadModel',
    // onnxruntime-genai's own 'gpt2' has keys and values in one tensor.
    genaiType: 'decoder',
    gguf: 'gpt2',
    norm: 'layer',
    activation: 'gelu-tanh',
    hasPlainMlp: true,
    hasLearnedPositions: true,
    transposedInConfig: true,
    tied: true,
  },
  {
    ...plain,
    name: 'LFM2 and LFM2.5',
    modelType: 'lfm2',
    architecture: 'Lfm2ForCausalLM',
    genaiType: 'lfm2',
    gguf: 'lfm2',
    queryKeyNorm: 'head',
    hasConvolutions: true,
    theta: 1_000_000,
    tied: true,
  },
];

/** The families' names, for people. */
export function familyNames(): string {
  return FAMILIES.map(({ name }) => name).join(', ');
}
