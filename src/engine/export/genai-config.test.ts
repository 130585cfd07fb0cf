/**
 * genai_config.json of exported folders, against its documented schema (onnxruntime-genai, 'Config reference') and against
 * the exported graph: onnxruntime-genai makes the names of the cache of a pattern and of the number of layers.
 */
import type { BlockName } from '../../schema/blocks.js';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { buildGenaiDecoder, genaiStyles } from '../../../test/graphs/genai-decoder.js';
import { batchOf } from '../../../test/models/chain.js';
import { freshPath } from '../../../test/support/export-sample.js';
import { readModel, writeModel } from '../onnx/file/model-file.js';
import { openModel } from '../jobs/parts/source-model.js';
import { exportModel } from './export-model.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const pattern = v.pipe(v.string(), v.regex(/^[^%]*%d[^%]*$/));
const schema = v.object({
  model: v.strictObject({
    type: v.string(),
    bos_token_id: v.number(),
    eos_token_id: v.union([v.number(), v.array(v.number())]),
    pad_token_id: v.number(),
    context_length: count,
    vocab_size: count,
    decoder: v.strictObject({
      session_options: v.record(v.string(), v.unknown()),
      filename: v.pipe(v.string(), v.regex(/^[^/\\]+\.onnx$/)),
      head_size: count,
      hidden_size: count,
      num_attention_heads: count,
      num_hidden_layers: count,
      num_key_value_heads: count,
      inputs: v.strictObject({
        input_ids: v.string(),
        attention_mask: v.string(),
        past_key_names: pattern,
        past_value_names: pattern,
      }),
      outputs: v.strictObject({
        logits: v.string(),
        present_key_names: pattern,
        present_value_names: pattern,
      }),
      sliding_window: v.optional(
        v.strictObject({
          window_size: count,
          pad_value: v.number(),
          alignment: v.picklist(['left', 'right']),
          slide_key_value_cache: v.boolean(),
          slide_inputs: v.boolean(),
          layers: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.minLength(1)),
        }),
      ),
    }),
  }),
  search: v.record(v.string(), v.unknown()),
});

const original: v.InferOutput<typeof schema> = {
  model: {
    type: 'mistral',
    bos_token_id: 0,
    eos_token_id: [1, 2],
    pad_token_id: 0,
    context_length: 64,
    vocab_size: 31,
    decoder: {
      session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
      filename: 'model.onnx',
      head_size: 16,
      hidden_size: 64,
      num_attention_heads: 4,
      num_hidden_layers: 3,
      num_key_value_heads: 2,
      inputs: {
        input_ids: 'input_ids',
        attention_mask: 'attention_mask',
        past_key_names: 'past_key_values.%d.key',
        past_value_names: 'past_key_values.%d.value',
      },
      outputs: {
        logits: 'logits',
        present_key_names: 'present.%d.key',
        present_value_names: 'present.%d.value',
      },
      sliding_window: {
        window_size: 3,
        pad_value: 0,
        alignment: 'right',
        slide_key_value_cache: false,
        slide_inputs: false,
        layers: [0, 2],
      },
    },
  },
  search: { max_length: 64, past_present_share_buffer: true },
};

/** A Mistral of three layers, of which the first and the last see a window; exported without some blocks. */
async function exported(skipped: readonly BlockName[]) {
  const from = freshPath('mistral');
  mkdirSync(from, { recursive: true });
  await writeModel(buildGenaiDecoder(genaiStyles[0]!), path.join(from, 'model.onnx'));
  writeFileSync(path.join(from, 'genai_config.json'), JSON.stringify(original));
  const { source, decoder } = await openModel(from);
  const { folder, modelPath } = await exportModel({
    source,
    original: decoder,
    skipped,
    scales: new Map(),
    mode: 'folded',
    output: freshPath('slimmed'),
    verificationBatches: [batchOf(decoder)],
    record: { modelName: '', taskName: '', strategy: '', granularity: 'scalar', figures: [] },
    runOptions: { threads: 1 },
  });
  const config = JSON.parse(readFileSync(path.join(folder, 'genai_config.json'), 'utf8')) as unknown;
  const { graph } = await readModel(modelPath);
  return { config: v.parse(schema, config), graph };
}

describe('genai_config.json', () => {
  it('names exactly the inputs and outputs that the exported graph has', async () => {
    const { config, graph } = await exported(['attention 0', 'mlp 1']);
    const { inputs, outputs, num_hidden_layers: layers } = config.model.decoder;
    const each = (names: string) => Array.from({ length: layers }, (_, i) => names.replace('%d', `${i}`));
    expect(layers).toBe(2);
    expect(graph.input.map(({ name }) => name).toSorted()).toEqual(
      [
        inputs.input_ids,
        inputs.attention_mask,
        ...each(inputs.past_key_names),
        ...each(inputs.past_value_names),
      ].toSorted(),
    );
    expect(graph.output.map(({ name }) => name).toSorted()).toEqual(
      [outputs.logits, ...each(outputs.present_key_names), ...each(outputs.present_value_names)].toSorted(),
    );
  });

  it('counts the layers with a sliding window anew', async () => {
    const { config } = await exported(['attention 0']);
    expect(config.model.decoder.sliding_window?.layers).toEqual([1]);
    expect(config.search).toEqual(original.search);
  });

  it('has no sliding window where no layer with one is left', async () => {
    const { config } = await exported(['attention 0', 'attention 2']);
    expect(config.model.decoder.num_hidden_layers).toBe(1);
    expect(config.model.decoder.sliding_window).toBeUndefined();
  });
});
