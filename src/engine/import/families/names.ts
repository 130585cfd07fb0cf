/** Names of a decoder's weights in GGUF and in Hugging Face's files, by one name of ours each. */
import type { Family } from './family.js';

const WHOLE = {
  embedding: { gguf: 'token_embd', config: 'embed_tokens' },
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
} as const;

export type WholePart = keyof typeof WHOLE | 'head';
export type LayerPart = keyof typeof LAYER;

/** What a weight is called, without '.weight' or '.bias'. */
export interface WeightNames {
  whole(part: WholePart): string;
  layer(part: LayerPart, layer: number): string;
}

export const GGUF_NAMES: WeightNames = {
  whole: (part) => (part === 'head' ? 'output' : WHOLE[part].gguf),
  layer: (part, layer) => `blk.${layer}.${LAYER[part].gguf}`,
};

/** What names begin with in Hugging Face's files: alone, or as the text part of a larger model. */
const PREFIXES = ['model.', 'model.language_model.', 'language_model.model.', ''];

/** @param names of all weights of the model */
export function configNames(family: Family, names: ReadonlyMap<string, unknown>): WeightNames {
  const prefix = PREFIXES.find((start) => names.has(`${start}embed_tokens.weight`)) ?? 'model.';
  const headPrefix = prefix === 'language_model.model.' ? 'language_model.' : '';
  return {
    whole: (part) => (part === 'head' ? `${headPrefix}lm_head` : `${prefix}${WHOLE[part].config}`),
    layer: (part, layer) => {
      // What comes after attention is called so whichever side of the sum it is on.
      const name =
        part === 'mlpNorm' && family.norms === 'before' ? 'post_attention_layernorm' : LAYER[part].config;
      return `${prefix}layers.${layer}.${name}`;
    },
  };
}
