/** config.json of a model whose file had none, in the words of Hugging Face's transformers. */
import type { Convolution, DecoderFacts } from '../families/decoder-facts.js';

/** @param tied whether the embedding is the head, too */
export function configOf(facts: DecoderFacts, tied: boolean): Record<string, unknown> {
  const { family, attention } = facts;
  const window = attention.find((layer) => layer.window > 0)?.window;
  const turns = attention.map(({ frequencies }) => frequencies !== undefined);
  return {
    architectures: [family.architecture],
    model_type: family.modelType,
    hidden_size: facts.hidden,
    intermediate_size: facts.inner,
    num_hidden_layers: facts.layers,
    num_attention_heads: facts.heads,
    num_key_value_heads: facts.kvHeads,
    head_dim: facts.headSize,
    vocab_size: facts.vocabulary,
    max_position_embeddings: facts.contextLength,
    hidden_act: family.activation === 'silu' ? 'silu' : 'gelu_pytorch_tanh',
    [family.norm === 'rms' ? 'rms_norm_eps' : 'layer_norm_eps']: facts.epsilon,
    tie_word_embeddings: tied,
    ...(window !== undefined && {
      sliding_window: window,
      layer_types: attention.map((layer) => (layer.window > 0 ? 'sliding_attention' : 'full_attention')),
    }),
    ...(turns.includes(false) && !family.hasLearnedPositions && { no_rope_layers: turns.map(Number) }),
    ...(family.hasLearnedPositions && {
      n_layer: facts.layers,
      n_embd: facts.hidden,
      n_head: facts.heads,
      n_inner: facts.inner,
      n_positions: facts.contextLength,
      layer_norm_epsilon: facts.epsilon,
      activation_function: 'gelu_new',
    }),
    ...(family.hasConvolutions && { norm_eps: facts.epsilon, block_auto_adjust_ff_dim: false }),
    ...convolutionConfig(facts),
  };
}

/** Which layers have attention, as transformers.js counts their caches. */
export function convolutionConfig({ convolution, layers }: DecoderFacts): Record<string, unknown> {
  return convolution ? { conv_L_cache: convolution.taps, layer_types: layerTypes(convolution, layers) } : {};
}

export function layerTypes(convolution: Convolution, layers: number): string[] {
  return Array.from({ length: layers }, (_, layer) =>
    convolution.layers.has(layer) ? 'conv' : 'full_attention',
  );
}
