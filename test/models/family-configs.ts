/** config.json of the small graphs, as far as transformers.js reads it: the family, and the sizes of the cache. */
import type { DecoderStyle } from '../graphs/decoder-style.js';
import type { GenaiStyle } from '../graphs/genai-style.js';

/** model_type where it is not the style's name; undefined where transformers.js does not feed the cache. */
const MODEL_TYPES: Readonly<Record<string, string | undefined>> = {
  gemma3: 'gemma3_text',
  'gpt-neox': 'gpt_neox',
  // Their cache is one input a layer here, keys and values together, which transformers.js does not feed.
  gpt2: undefined,
  'gpt2-spelled-out': undefined,
};

interface Sizes {
  layers: number;
  hidden: number;
  heads: number;
  kvHeads: number;
  headSize: number;
  vocabulary: number;
}

/** @returns undefined for graphs that transformers.js does not feed */
export function familyConfig(style: DecoderStyle): Record<string, unknown> | undefined {
  const type = style.name in MODEL_TYPES ? MODEL_TYPES[style.name] : style.name;
  const kvHeads = style.groupedHeads ? 2 : 4;
  return type === undefined ? undefined : modelConfig(type, smallSizes(kvHeads));
}

/** Of the sizes of test/graphs/genai-decoder.ts. */
export function genaiConfig(style: GenaiStyle): Record<string, unknown> {
  const kvHeads = style.attention === 'group-query' ? 2 : 4;
  const sizes = { ...smallSizes(kvHeads), hidden: 64, headSize: 16 };
  return modelConfig(style.name.replace('-', '_'), sizes);
}

export function smallSizes(kvHeads: number): Sizes {
  return { layers: 3, hidden: 32, heads: 4, kvHeads, headSize: 8, vocabulary: 31 };
}

export function modelConfig(type: string, sizes: Sizes): Record<string, unknown> {
  const { layers, hidden, heads, kvHeads, headSize, vocabulary } = sizes;
  return {
    model_type: type,
    num_hidden_layers: layers,
    hidden_size: hidden,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headSize,
    vocab_size: vocabulary,
    // The end of a text is a token that never comes.
    eos_token_id: vocabulary + 1,
    ...(type === 'bloom' ? { n_layer: layers, n_head: heads } : {}),
    ...(type === 'falcon' ? { num_kv_heads: kvHeads } : {}),
  };
}
