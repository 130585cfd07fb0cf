/** What an exported folder gets beside its model so that transformers.js loads it, too. */
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, temporaryFolderWith } from '../../../test/support/temporary-folder.js';
import { leftOut, requireCompanions, writeCompanions, type ModelChange } from './companions.js';

const genai = {
  model: {
    type: 'gptoss',
    bos_token_id: 1,
    eos_token_id: [2, 5],
    pad_token_id: 2,
    context_length: 8192,
    vocab_size: 49152,
    decoder: {
      session_options: { provider_options: [] },
      filename: 'model.onnx',
      head_size: 64,
      hidden_size: 576,
      num_attention_heads: 9,
      num_hidden_layers: 4,
      num_key_value_heads: 3,
    },
  },
  search: {},
};

/** Of four layers, the second one's attention skipped. */
const change: ModelChange = {
  cache: { originalLayers: 4, keptLayers: [0, 2, 3] },
  files: { modelFile: 'model.onnx', dataFiles: 1, hasFloat16Cache: false },
};

/** The companions of a folder's export: JSON files as they are read. */
async function companionsOf(files: Record<string, unknown>, changed: Partial<ModelChange['files']> = {}) {
  const target = temporaryFolderWith({});
  await writeCompanions(temporaryFolderWith(files), target, {
    ...change,
    files: { ...change.files, ...changed },
  });
  return (name: string) =>
    JSON.parse(readFileSync(path.join(target, name), 'utf8')) as Record<string, unknown>;
}

it('config.json is made of genai_config.json, with the layers that are left', async () => {
  const json = await companionsOf({ 'genai_config.json': genai });
  expect(json('config.json')).toEqual({
    model_type: 'gpt_oss',
    hidden_size: 576,
    num_hidden_layers: 3,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    head_dim: 64,
    vocab_size: 49152,
    max_position_embeddings: 8192,
    bos_token_id: 1,
    eos_token_id: [2, 5],
    pad_token_id: 2,
    'transformers.js_config': { use_external_data_format: { 'model.onnx': 1 } },
  });
});

it('a config.json that is there stays, but for the number of layers', async () => {
  const files = { 'genai_config.json': genai, 'config.json': { model_type: 'mine', num_hidden_layers: 4 } };
  const json = await companionsOf(files, { dataFiles: 0 });
  expect(json('config.json')).toEqual({ model_type: 'mine', num_hidden_layers: 3 });
});

it('what config.json says of layers is right in the export, also where it was wrong', async () => {
  const config = {
    num_hidden_layers: 6,
    layer_types: ['full', 'sliding', 'full', 'sliding'],
    mlp_layer_types: ['dense', 'sparse', 'sparse', 'dense'],
    layers_block_type: ['a', 'b', 'c', 'd'],
    sliding_window_layers: [1, 3],
    mlp_only_layers: [0, 1],
    max_window_layers: 3,
    attention_types: [[['global', 'local'], 2]],
    eos_token_id: [1, 2, 3, 4],
  };
  const json = await companionsOf({ 'config.json': config }, { dataFiles: 0 });
  expect(json('config.json')).toEqual({
    num_hidden_layers: 3,
    layer_types: ['full', 'full', 'sliding'],
    mlp_layer_types: ['dense', 'sparse', 'dense'],
    layers_block_type: ['a', 'c', 'd'],
    sliding_window_layers: [2],
    mlp_only_layers: [0],
    max_window_layers: 2,
    attention_types: [[['global', 'global', 'local'], 1]],
    eos_token_id: [1, 2, 3, 4],
  });
});

it('config.json names no dtype of which the export has no file, for no device', async () => {
  const told = { dtype: 'fp16', device_config: { webgpu: { dtype: 'q4f16' }, wasm: { kv_cache_dtype: {} } } };
  const files = { 'config.json': { 'transformers.js_config': told } };
  const json = await companionsOf(files, { dataFiles: 0, modelFile: 'onnx/model_q4.onnx' });
  expect(json('config.json')['transformers.js_config']).toEqual({
    dtype: 'q4',
    device_config: { webgpu: { dtype: 'q4' }, wasm: { kv_cache_dtype: {} } },
  });
});

it('a config.json with a byte order mark and with what JSON has no word for is read', async () => {
  const written = '\uFEFF{"a": NaN, "b": [-Infinity, 1], "c": "NaN", "num_hidden_layers": 4}';
  const json = await companionsOf({ 'config.json': written }, { dataFiles: 0 });
  expect(json('config.json')).toEqual({ a: null, b: [null, 1], c: 'NaN', num_hidden_layers: 3 });
});

it('a file that an export could not copy is named beforehand; links of other files do not matter', () => {
  const folder = temporaryFolderWith({ 'config.json': {}, 'tokenizer.json': {} });
  symlinkSync(path.join(folder, 'gone'), path.join(folder, 'pytorch_model.bin'));
  expect(() => requireCompanions(folder)).not.toThrow();
  symlinkSync(path.join(folder, 'gone'), path.join(folder, 'merges.txt'));
  expect(() => requireCompanions(folder)).toThrow(/merges\.txt is a link to a file that is not there/);
});

it('config.json names a float16 cache, unless it does already, and no other', async () => {
  const narrow = { dataFiles: 0, hasFloat16Cache: true };
  const json = await companionsOf({ 'config.json': {} }, { ...narrow, modelFile: 'onnx/model_q4f16.onnx' });
  expect(json('config.json')).toEqual({ 'transformers.js_config': { kv_cache_dtype: { q4f16: 'float16' } } });
  const own = { 'transformers.js_config': { kv_cache_dtype: { fp16: 'float16' } } };
  const fp16 = { ...narrow, modelFile: 'onnx/model_fp16.onnx' };
  expect((await companionsOf({ 'config.json': own }, fp16))('config.json')).toEqual(own);
  const wide = { dataFiles: 0, hasFloat16Cache: false, modelFile: 'onnx/model_q4.onnx' };
  const all = { 'transformers.js_config': { kv_cache_dtype: 'float16' } };
  expect((await companionsOf({ 'config.json': all }, wide))('config.json')).toEqual({
    'transformers.js_config': {},
  });
});

it.each([
  ['a file of its own', { 'chat_template.jinja': 'new' }],
  ['an older file of its own', { 'chat_template.json': { chat_template: 'new' } }],
])('a chat template in %s counts, and is put into tokenizer_config.json', async (_, files) => {
  for (const before of [{ eos_token: 'end' }, { eos_token: 'end', chat_template: 'old' }]) {
    const json = await companionsOf({ ...files, 'tokenizer_config.json': before });
    expect(json('tokenizer_config.json')).toEqual({ eos_token: 'end', chat_template: 'new' });
  }
});

it('without a chat template tokenizer_config.json stays as it is', async () => {
  const json = await companionsOf({ 'tokenizer_config.json': { eos_token: 'end' } });
  expect(json('tokenizer_config.json')).toEqual({ eos_token: 'end' });
});

describe('a file that is a link', () => {
  /** A source folder with a licence that is a link to what is given. */
  async function licenceBehind(link: (source: string) => string): Promise<string[]> {
    const [source, target] = [
      temporaryFolderWith({ 'config.json': {}, 'terms.txt': 'Mine.' }),
      temporaryFolder(),
    ];
    symlinkSync(link(source), path.join(source, 'license.txt'));
    await writeCompanions(source, target, change);
    return readdirSync(target).toSorted();
  }

  it('to one elsewhere on this machine is not taken along', async () => {
    const secret = temporaryFolderWith({ id_rsa: 'secret' });
    expect(await licenceBehind(() => path.join(secret, 'id_rsa'))).toEqual(['config.json']);
  });

  it('to one elsewhere is named to the user, with what to do', () => {
    const secret = temporaryFolderWith({ id_rsa: 'secret' });
    const source = temporaryFolderWith({ 'config.json': {}, 'merges.txt': '' });
    expect(leftOut(source)).toBeUndefined();
    symlinkSync(path.join(secret, 'id_rsa'), path.join(source, 'license.txt'));
    expect(leftOut(source)).toBe(
      `license.txt is a link out of the model's folder and not in the export; put the contents into ${source} if the model needs it.`,
    );
  });

  it('within the folder is taken along', async () => {
    expect(await licenceBehind(() => 'terms.txt')).toEqual(['config.json', 'license.txt']);
  });

  it('from a snapshot of the Hugging Face cache to its blobs is taken along', async () => {
    const [cache, target] = [temporaryFolder(), temporaryFolder()];
    const [blobs, snapshot] = [path.join(cache, 'blobs'), path.join(cache, 'snapshots/abc')];
    for (const folder of [blobs, snapshot]) mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(blobs, '1f'), 'Terms.');
    symlinkSync('../../blobs/1f', path.join(snapshot, 'license.txt'));
    await writeCompanions(snapshot, target, change);
    expect(readFileSync(path.join(target, 'license.txt'), 'utf8')).toBe('Terms.');
  });
});
