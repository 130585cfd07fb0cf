/** genai_config.json, as onnxruntime-genai's builder writes it for the CPU. */
import { layerTypes } from './config.js';
import type { DecoderFacts } from '../families/decoder-facts.js';

/**
 * @param modelFile the ONNX file's name
 * @param ids generation_config.json, else config.json: the tokens that begin, end and fill texts
 */
export function genaiConfig(
  facts: DecoderFacts,
  modelFile: string,
  ids: Record<string, unknown>,
): Record<string, unknown> {
  const { family, contextLength, convolution } = facts;
  const eos = ids.eos_token_id ?? 0;
  const [firstEos] = Array.isArray(eos) ? (eos as unknown[]) : [eos];
  return {
    model: {
      bos_token_id: ids.bos_token_id ?? firstEos,
      context_length: contextLength,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: modelFile,
        head_size: facts.headSize,
        hidden_size: facts.hidden,
        inputs: {
          input_ids: 'input_ids',
          attention_mask: 'attention_mask',
          past_key_names: 'past_key_values.%d.key',
          past_value_names: 'past_key_values.%d.value',
          ...(family.hasLearnedPositions && { position_ids: 'position_ids' }),
          ...(convolution && { past_conv_names: 'past_conv.%d' }),
        },
        outputs: {
          logits: 'logits',
          present_key_names: 'present.%d.key',
          present_value_names: 'present.%d.value',
          ...(convolution && { present_conv_names: 'present_conv.%d' }),
        },
        num_attention_heads: facts.heads,
        num_hidden_layers: facts.layers,
        num_key_value_heads: facts.kvHeads,
        ...(convolution && {
          layer_types: layerTypes(convolution, facts.layers),
          conv_cache_size: convolution.taps - 1,
        }),
      },
      eos_token_id: eos,
      pad_token_id: ids.pad_token_id ?? firstEos,
      type: family.genaiType,
      vocab_size: facts.vocabulary,
    },
    search: {
      diversity_penalty: 0,
      do_sample: ids.do_sample ?? false,
      early_stopping: true,
      length_penalty: 1,
      max_length: contextLength,
      min_length: 0,
      no_repeat_ngram_size: 0,
      num_beams: 1,
      num_return_sequences: 1,
      past_present_share_buffer: true,
      repetition_penalty: ids.repetition_penalty ?? 1,
      temperature: ids.temperature ?? 1,
      top_k: ids.top_k ?? 50,
      top_p: ids.top_p ?? 1,
    },
  };
}
