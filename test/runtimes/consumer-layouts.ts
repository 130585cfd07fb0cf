/** Folders in the layouts that exporters write, for tests that load their exports elsewhere. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BlockName } from '../../src/schema/blocks.js';
import type { Precision } from '../../src/schema/cuts.js';
import { changePrecision } from '../../src/engine/cuts/precision/change-precision.js';
import { openModel } from '../../src/engine/jobs/parts/source-model.js';
import { freshPath } from '../support/export-sample.js';
import { importModel } from '../support/import-model.js';
import { repositoryRoot, sampleFolder, sharedPath } from '../support/shared-folder.js';
import { temporaryFolder } from '../support/temporary-folder.js';

export interface Layout {
  /** Of Optimum: configs above onnx/; of onnxruntime-genai: all in one folder, with a genai_config.json and no config.json. */
  exporter: 'optimum' | 'genai';
  /** Its folder of the shared models, or its ONNX file; absent for the sample that the repository holds. */
  shared?: string;
  /** What it is brought to first. */
  precision?: Precision;
  /** Logits and KV cache are in float16. */
  isFloat16?: boolean;
  /** Its operators have inputs that onnxruntime had not yet in 1.21. */
  needsNewRuntime?: boolean;
  /** The folder of another model than the sample, with the sample's tokens. */
  model?: () => string | Promise<string>;
  /** What is skipped of another model. */
  skipped?: readonly BlockName[];
  /** Why a version of transformers.js cannot run the original, either. */
  untried?: Partial<Record<3 | 4, string>>;
}

const OTHER_NAMES = 'it calls the states of convolutions otherwise';
const ofPhi3: readonly BlockName[] = ['attention 1', 'mlp 2'];
const ofLfm2: readonly BlockName[] = ['attention 1', 'mlp 2', 'attention 4'];

const layouts: Readonly<Record<string, Layout>> = {
  'Optimum, float32': { exporter: 'optimum' },
  'Optimum, float32, weights beside': {
    exporter: 'optimum',
    shared: 'sample/onnx/optimum-sdpa-external.onnx',
  },
  'Optimum, float16': { exporter: 'optimum', shared: 'sample/onnx/optimum-fp16.onnx', isFloat16: true },
  'Optimum, 4 bits': { exporter: 'optimum', shared: 'sample/onnx/optimum-q4.onnx' },
  'Optimum, 8 bits': { exporter: 'optimum', shared: 'sample/onnx/optimum-int8.onnx' },
  'genai, float32': { exporter: 'genai', shared: 'sample/onnx/genai-fp32.onnx' },
  'genai, packed projections': { exporter: 'genai', shared: 'sample/onnx/genai-packed.onnx' },
  'genai, float16': { exporter: 'genai', shared: 'sample/onnx/genai-fp16.onnx', isFloat16: true },
  'genai, 4 bits': { exporter: 'genai', shared: 'sample/onnx/genai-q4.onnx' },
  'Optimum, cut to fp16': { exporter: 'optimum', precision: 'fp16', isFloat16: true },
  'Optimum, cut to int8': { exporter: 'optimum', precision: 'int8', needsNewRuntime: true },
  'Optimum, cut to q4': { exporter: 'optimum', precision: 'q4', needsNewRuntime: true },
  'Optimum, cut to q4f16': {
    exporter: 'optimum',
    precision: 'q4f16',
    isFloat16: true,
    needsNewRuntime: true,
  },
  'genai, cut to q4': cutOfGenai('q4', 'fp16'),
  'genai, cut to q4f16': cutOfGenai('q4f16', 'fp32', true),
  'genai 0.18, float32': builder018('fp32-cpu'),
  'genai 0.18, 4 bits': builder018('int4-cpu'),
  'genai 0.18, float16 for WebGPU': builder018('fp16-webgpu', true),
  'genai 0.18, 4 bits for WebGPU': builder018('int4-webgpu', true),
  'genai 0.18, LFM2': {
    exporter: 'genai',
    model: () => familyFile('lfm2', 'genai'),
    skipped: ofLfm2,
    untried: { 3: OTHER_NAMES, 4: OTHER_NAMES },
  },
  'genai 0.18, Phi-3 with LongRoPE': {
    exporter: 'genai',
    model: () => familyFile('phi3', 'genai'),
    skipped: ofPhi3,
    needsNewRuntime: true,
  },
  'Phi-3 with LongRoPE, imported': { exporter: 'genai', model: () => imported('phi3'), skipped: ofPhi3 },
  'Phi-3 with LongRoPE, imported, cut to q4f16': {
    exporter: 'genai',
    model: () => imported('phi3'),
    precision: 'q4f16',
    skipped: ofPhi3,
    isFloat16: true,
    needsNewRuntime: true,
  },
  'LFM2, imported': {
    exporter: 'genai',
    model: () => imported('lfm2'),
    skipped: ofLfm2,
    untried: { 3: 'its states of convolutions have a position more' },
  },
};

function builder018(folder: string, isFloat16 = false): Layout {
  return { exporter: 'genai', shared: `models/genai-0.18/${folder}`, isFloat16, needsNewRuntime: true };
}

function cutOfGenai(precision: Precision, source: 'fp16' | 'fp32', isFloat16 = false): Layout {
  const shared = `sample/onnx/genai-${source}.onnx`;
  return { exporter: 'genai', shared, precision, isFloat16, needsNewRuntime: true };
}

/** The layouts whose files are here, by what they are called in titles. */
export function layoutsHere(hasShared: boolean): [string, Layout][] {
  return Object.entries(layouts).filter(([, { shared }]) => hasShared || shared === undefined);
}

/** The layout's model folder. */
export async function layoutFolder(layout: Layout): Promise<string> {
  const folder = await uncutFolder(layout);
  const { precision } = layout;
  if (precision === undefined) return folder;
  const { source, decoder } = await openModel(folder);
  return (await changePrecision({ source, decoder, precision, output: freshPath('cut') })).folder;
}

async function uncutFolder({ exporter, shared, model }: Layout): Promise<string> {
  if (model) return await model();
  if (shared === undefined) return sampleFolder;
  const source = sharedPath(shared);
  if (!source.endsWith('.onnx')) return source;
  const folder = freshPath('sample');
  const models = exporter === 'genai' ? folder : path.join(folder, 'onnx');
  mkdirSync(models, { recursive: true });
  for (const file of [source, `${source}_data`])
    if (existsSync(file)) cpSync(file, path.join(models, path.basename(file)));
  cpSync(path.join(sampleFolder, 'tokenizer.json'), path.join(folder, 'tokenizer.json'));
  if (exporter === 'optimum') {
    for (const name of ['config.json', 'generation_config.json', 'tokenizer_config.json'])
      cpSync(path.join(sampleFolder, name), path.join(folder, name));
    return folder;
  }
  const { chat_template: template, ...tokenizerConfig } = readJson('tokenizer_config.json');
  writeFileSync(path.join(folder, 'chat_template.jinja'), template as string);
  writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  const config = genaiConfig(path.basename(source));
  writeFileSync(path.join(folder, 'genai_config.json'), JSON.stringify(config));
  return folder;
}

async function imported(family: string): Promise<string> {
  const folder = temporaryFolder();
  for (const name of ['config.json', 'model.safetensors'])
    cpSync(familyFile(family, name), path.join(folder, name));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(path.join(sampleFolder, name), path.join(folder, name));
  return await importModel(folder);
}

function familyFile(family: string, name: string): string {
  return path.join(repositoryRoot, 'test', 'families', family, name);
}

/** Of the sample, as onnxruntime-genai's builder writes it. */
function genaiConfig(filename: string): object {
  const config = readJson('config.json');
  return {
    model: {
      type: config.model_type,
      bos_token_id: config.bos_token_id,
      eos_token_id: config.eos_token_id,
      pad_token_id: config.pad_token_id,
      vocab_size: config.vocab_size,
      context_length: config.max_position_embeddings,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename,
        head_size: config.head_dim,
        hidden_size: config.hidden_size,
        num_attention_heads: config.num_attention_heads,
        num_hidden_layers: config.num_hidden_layers,
        num_key_value_heads: config.num_key_value_heads,
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
      },
    },
    search: { do_sample: false, max_length: config.max_position_embeddings, past_present_share_buffer: true },
  };
}

function readJson(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path.join(sampleFolder, name), 'utf8')) as Record<string, unknown>;
}
