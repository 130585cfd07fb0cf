/** The numbers of a decoder by one name each, wherever they are kept: in config.json or in a GGUF file's metadata. */
import { UserError } from '../../../schema/errors.js';
import type { Scaling } from './rotary.js';
import { quoted } from '../quoted.js';

/** Our name; config.json's keys; the GGUF key behind the architecture. */
const KEYS = {
  layers: { config: ['num_hidden_layers', 'n_layer'], gguf: 'block_count' },
  hidden: { config: ['hidden_size', 'n_embd'], gguf: 'embedding_length' },
  inner: { config: ['intermediate_size', 'n_inner', 'block_ff_dim'], gguf: 'feed_forward_length' },
  heads: { config: ['num_attention_heads', 'n_head'], gguf: 'attention.head_count' },
  kvHeads: { config: ['num_key_value_heads'], gguf: 'attention.head_count_kv' },
  headSize: { config: ['head_dim'], gguf: 'attention.key_length' },
  contextLength: { config: ['max_position_embeddings', 'n_positions'], gguf: 'context_length' },
  rmsEpsilon: { config: ['rms_norm_eps', 'norm_eps'], gguf: 'attention.layer_norm_rms_epsilon' },
  layerEpsilon: { config: ['layer_norm_eps', 'layer_norm_epsilon'], gguf: 'attention.layer_norm_epsilon' },
  theta: { config: ['rope_theta'], gguf: 'rope.freq_base' },
  localTheta: { config: ['rope_local_base_freq'], gguf: 'rope.freq_base_swa' },
  turned: { config: [], gguf: 'rope.dimension_count' },
  turnedShare: { config: ['partial_rotary_factor'], gguf: '' },
  originalContext: {
    config: ['original_max_position_embeddings'],
    gguf: 'rope.scaling.original_context_length',
  },
  window: { config: ['sliding_window'], gguf: 'attention.sliding_window' },
  fullEvery: { config: ['sliding_window_pattern', '_sliding_window_pattern'], gguf: '' },
  unturnedEvery: { config: ['no_rope_layer_interval'], gguf: '' },
  scoreScale: { config: ['attention_multiplier'], gguf: 'attention.scale' },
  scoreWidth: { config: ['query_pre_attn_scalar'], gguf: '' },
  scoreCap: { config: ['attn_logit_softcapping'], gguf: 'attn_logit_softcapping' },
  logitCap: { config: ['final_logit_softcapping'], gguf: 'final_logit_softcapping' },
  embeddingScale: { config: ['embedding_multiplier'], gguf: 'embedding_scale' },
  residualScale: { config: ['residual_multiplier'], gguf: 'residual_scale' },
  /** Positions that a convolution reads, the own one included. */
  taps: { config: ['conv_L_cache'], gguf: 'shortconv.l_cache' },
  logitDivisor: { config: ['logits_scaling'], gguf: 'logit_scale' },
} as const satisfies Record<string, { config: readonly string[]; gguf: string }>;

export type Quantity = keyof typeof KEYS;

/** Where a model's numbers come from. */
export interface Quantities {
  /** Named in errors. */
  place: string;
  /** A finite number, or undefined where it is not given. @throws UserError if it is anything else */
  get(quantity: Quantity): number | undefined;
  /** @throws UserError if it is of a kind that is not understood */
  scaling: Scaling;
  /** Another scaling of windowed layers. */
  localScaling?: Scaling;
  /** For each layer whether it sees a window only, where the file says so itself. */
  windowed?: readonly boolean[];
  /** For each layer whether it has a convolution in place of attention. */
  convolutions?: readonly boolean[];
  /** For each layer whether queries and keys are turned, where the file says so itself. */
  turns?: readonly boolean[];
}

/** @param config config.json, or its part about the text model */
export function configQuantity(
  config: Record<string, unknown>,
  place: string,
  quantity: Quantity,
): number | undefined {
  const key = KEYS[quantity].config.find((name) => config[name] !== undefined && config[name] !== null);
  return key === undefined ? undefined : numberOf(config[key], key, place);
}

/** @param architecture what the keys begin with */
export function ggufQuantity(
  metadata: ReadonlyMap<string, unknown>,
  architecture: string,
  place: string,
  quantity: Quantity,
): number | undefined {
  const key = `${architecture}.${KEYS[quantity].gguf}`;
  const value = metadata.get(key);
  if (value === undefined) return undefined;
  // A number a layer, all the same but for 0 in layers without attention.
  if (Array.isArray(value)) {
    const [number, ...more] = new Set(value.filter((entry) => entry !== 0));
    if (number !== undefined && more.length === 0) return numberOf(number, key, place);
  }
  return numberOf(value, key, place);
}

function numberOf(value: unknown, key: string, place: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  const given = Array.isArray(value) ? 'another one for each layer' : quoted(JSON.stringify(value));
  throw new UserError(
    `${place} gives '${key}' as ${given}, where one number is understood; this model cannot be taken.`,
  );
}
