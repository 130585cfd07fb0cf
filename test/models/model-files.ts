/** The real files of the shared folder that the whole chain is run on, and what each is. */
import type { OnnxModel } from '../../src/engine/onnx/file/model-file.js';

export interface ModelFile {
  /** Relative to the shared folder; or a name, for graphs that are built. */
  file: string;
  build?: () => OnnxModel | Promise<OnnxModel>;
  layout: string;
  family: string;
  precision: string;
  /** Whether activations are rounded to integers while the model runs, so that two ways to the same result differ. */
  rounds?: boolean;
  /** Folder with the config and tokenizer that belong to it. */
  companions?: string;
  /** config.json, for graphs that are built. */
  config?: Record<string, unknown>;
  /** What transformers.js calls the precision; it is not tried without one, and `untried` says why. */
  dtype?: 'fp32' | 'fp16';
  untried?: string;
  /** Tokens of the prompts of a batch; default: a few. */
  promptLengths?: readonly number[];
}

export const PACKED_CACHE = 'transformers.js feeds no cache of one input a layer';

const sample = { family: 'Llama', companions: 'sample' };
const stories = { family: 'Llama', companions: 'models/stories260K/hf' };
const gpt2 = { family: 'GPT-2', layout: 'onnxruntime, fused, packed past', untried: PACKED_CACHE };

export const MODEL_FILES: readonly ModelFile[] = [
  {
    ...sample,
    file: 'sample/onnx/optimum-fp32.onnx',
    layout: 'Optimum, eager',
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...sample,
    file: 'sample/onnx/optimum-sdpa-external.onnx',
    layout: 'Optimum, SDPA, external data',
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...sample,
    file: 'sample/onnx/optimum-fp16.onnx',
    layout: 'Optimum, eager',
    precision: 'float16',
    dtype: 'fp16',
  },
  {
    ...sample,
    file: 'sample/onnx/optimum-q4.onnx',
    layout: 'Optimum, eager',
    precision: '4 bits (MatMulNBits)',
    dtype: 'fp32',
  },
  {
    ...sample,
    file: 'sample/onnx/optimum-int8.onnx',
    layout: 'Optimum, eager',
    precision: 'int8 (MatMulInteger)',
    rounds: true,
    dtype: 'fp32',
  },
  {
    ...sample,
    file: 'sample/onnx/genai-fp32.onnx',
    layout: 'onnxruntime-genai',
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...sample,
    file: 'sample/onnx/genai-packed.onnx',
    layout: 'onnxruntime-genai, packed QKV',
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...sample,
    file: 'sample/onnx/genai-fp16.onnx',
    layout: 'onnxruntime-genai',
    precision: 'float16',
    dtype: 'fp16',
  },
  {
    ...sample,
    file: 'sample/onnx/genai-q4.onnx',
    layout: 'onnxruntime-genai',
    precision: '4 bits (MatMulNBits)',
    dtype: 'fp32',
  },
  ...(
    [
      ['fp32-cpu', 'float32', 'fp32'],
      ['int4-cpu', '4 bits, activations in 8 (MatMulNBits)', 'fp32'],
      ['fp16-webgpu', 'float16', 'fp16'],
      ['int4-webgpu', '4 bits, activations in 8 (MatMulNBits), float16', 'fp16'],
    ] as const
  ).map(([folder, precision, dtype]) => ({
    ...sample,
    file: `models/genai-0.18/${folder}/model.onnx`,
    layout: 'onnxruntime-genai 0.18, tied embedding',
    precision,
    rounds: folder.startsWith('int4'),
    dtype,
  })),
  {
    ...sample,
    file: 'cases/float16-inside/onnx/model_fp16.onnx',
    layout: 'Optimum, eager, float32 inputs and logits',
    precision: 'float16',
    dtype: 'fp16',
  },
  {
    ...stories,
    file: 'models/stories260K/stories260K.onnx',
    layout: 'Optimum, eager',
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...stories,
    file: 'models/stories260K/stories260K.nopast.onnx',
    layout: 'Optimum, no cache',
    precision: 'float32',
    untried: 'transformers.js generates with a cache only',
  },
  {
    ...stories,
    file: 'models/stories260K/stories260K.torchnames-sdpa.onnx',
    layout: "Optimum, SDPA, torch's names",
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...stories,
    file: 'models/stories260K/external/model.onnx',
    layout: 'Optimum, external data',
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...stories,
    file: 'models/stories260K/stories260K.ort-basic.onnx',
    layout: "onnxruntime's optimiser, basic",
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...stories,
    file: 'models/stories260K/stories260K.ort-extended.onnx',
    layout: "onnxruntime's optimiser, extended",
    precision: 'float32',
    dtype: 'fp32',
  },
  {
    ...stories,
    file: 'models/stories260K/stories260K.sdpa.ort-extended.onnx',
    layout: "onnxruntime's optimiser, extended, SDPA",
    precision: 'float32',
    dtype: 'fp32',
  },
  { ...gpt2, file: 'models/fixtures/ort-genai/tiny-random-gpt2-fp32/past.onnx', precision: 'float32' },
  { ...gpt2, file: 'models/fixtures/ort-genai/tiny-random-gpt2-fp16-cuda/past.onnx', precision: 'float16' },
];

export const REFUSED_FILES: readonly string[] = [
  'models/fixtures/refuse/3layer_bloom_optimized_training.onnx',
  'models/fixtures/refuse/genai_phi3v_dummy_text.onnx',
  'models/fixtures/refuse/genai_tiny-random-lfm2.onnx',
  'models/fixtures/refuse/tiny_gpt2_beamsearch.onnx',
];
