/** Names of a decoder's weights in GGUF and in Hugging Face's files, by one name of ours each. */
import type { Family } from './family.js';

const WHOLE = {
  embedding: { gguf: 'token_embd', config: 'embed_tokens' },
  /** A table of learned positions. */
  positions: { gguf: 'position_embd', config: 'embed_positions' },
  finalNorm: { gguf: 'output_norm', config: 'norm' },
} as const;

const LAYER = {
  attentionNorm: { gguf: 'attn_norm', config: 'input_layernorm' },
  query: { gguf: 'attn_q', config: 'self_attn.q_proj' },
  key: { gguf: 'attn_k', config: 'self_attn.k_proj' },
  value: { gguf: 'attn_v', config: 'self_attn.v_proj' },
  packedAttention: { gguf: 'attn_qkv', config: 'self_attn.qkv_proj' },
  queryNorm: { gguf: 'attn_q_norm', config: 'self_attn.q_norm' },
  keyNorm: { gguf: 'attn_k_norm', config: 'self_attn.k_norm' },
  attentionOutput: { gguf: 'attn_output', config: 'self_attn.o_proj' },
  attentionResultNorm: { gguf: 'post_attention_norm', config: 'post_attention_layernorm' },
  mlpNorm: { gguf: 'ffn_norm', config: 'pre_feedforward_layernorm' },
  gate: { gguf: 'ffn_gate', config: 'mlp.gate_proj' },
  up: { gguf: 'ffn_up', config: 'mlp.up_proj' },
  /** Gate and up, one below the other. */
  packedMlp: { gguf: 'ffn_up', config: 'mlp.gate_up_proj' },
  down: { gguf: 'ffn_down', config: 'mlp.down_proj' },
  mlpResultNorm: { gguf: 'post_ffw_norm', config: 'post_feedforward_layernorm' },
  /** Of a convolution: two gates and what is convolved, one below the other; the weights of each channel; the result. */
  convolutionInput: { gguf: 'shortconv.in_proj', config: 'conv.in_proj' },
  convolutionTaps: { gguf: 'shortconv.conv', config: 'conv.conv' },
  convolutionOutput: { gguf: 'shortconv.out_proj', config: 'conv.out_proj' },
} as const;

export type WholePart = keyof typeof WHOLE | 'head';
export type LayerPart = keyof typeof LAYER;

/** What a family calls otherwise. */
interface OwnNames {
  /** In Hugging Face's files: what the names of layers begin with, and names by part. */
  layers?: string;
  config?: Partial<Record<Exclude<WholePart, 'head'> | LayerPart, string>>;
  gguf?: Partial<Record<Exclude<WholePart, 'head'>, string>>;
}

/** By config.json's model_type. */
const OWN_NAMES: Readonly<Record<string, OwnNames>> = {
  lfm2: {
    config: {
      finalNorm: 'embedding_norm',
      attentionNorm: 'operator_norm',
      queryNorm: 'self_attn.q_layernorm',
      keyNorm: 'self_attn.k_layernorm',
      attentionOutput: 'self_attn.out_proj',
      mlpNorm: 'ffn_norm',
      gate: 'feed_forward.w1',
      up: 'feed_forward.w3',
      down: 'feed_forward.w2',
    },
    gguf: { finalNorm: 'token_embd_norm' },
  },
  gpt2: {
    layers: 'h',
    config: {
      embedding: 'wte',
      positions: 'wpe',
      finalNorm: 'ln_f',
      attentionNorm: 'ln_1',
      packedAttention: 'attn.c_attn',
      attentionOutput: 'attn.c_proj',
      mlpNorm: 'ln_2',
      up: 'mlp.c_fc',
      down: 'mlp.c_proj',
    },
  },
};

/** What a weight is called, without '.weight' or '.bias'. */
export interface WeightNames {
  whole(part: WholePart): string;
  layer(part: LayerPart, layer: number): string;
}

/** @param names of all weights of the model */
export function ggufNames({ modelType }: Family, names: ReadonlyMap<string, unknown>): WeightNames {
  const own = OWN_NAMES[modelType]?.gguf ?? {};
  return {
    whole(part) {
      if (part === 'head') return 'output';
      const name = own[part];
      return name !== undefined && names.has(`${name}.weight`) ? name : WHOLE[part].gguf;
    },
    layer: (part, layer) => `blk.${layer}.${LAYER[part].gguf}`,
  };
}

/** What names begin with in Hugging Face's files: alone, or as the text part of a larger model. */
const PREFIXES = ['model.', 'model.language_model.', 'language_model.model.', 'transformer.', ''];

/** @param names of all weights of the model */
export function configNames(family: Family, names: ReadonlyMap<string, unknown>): WeightNames {
  const { layers = 'layers', config: own = {} } = OWN_NAMES[family.modelType] ?? {};
  const embedding = own.embedding ?? WHOLE.embedding.config;
  const prefix = PREFIXES.find((start) => names.has(`${start}${embedding}.weight`)) ?? 'model.';
  const headPrefix = prefix === 'language_model.model.' ? 'language_model.' : '';
  return {
    whole: (part) =>
      part === 'head' ? `${headPrefix}lm_head` : `${prefix}${own[part] ?? WHOLE[part].config}`,
    layer(part, layer) {
      // What comes after attention is called so whichever side of the sum it is on.
      const usual =
        part === 'mlpNorm' && family.norms === 'before' ? 'post_attention_layernorm' : LAYER[part].config;
      return `${prefix}${layers}.${layer}.${own[part] ?? usual}`;
    },
  };
}
