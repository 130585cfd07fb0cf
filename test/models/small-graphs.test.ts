/** The whole chain on small graphs with random weights, which mirror what exporters write for a family or precision. */
import { describe } from 'vitest';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import type { OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { buildDecoder, decoderStyles, mixtral } from '../graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../graphs/genai-decoder.js';
import { mergeDecoders } from '../graphs/merge-decoders.js';
import { narrowFloats } from '../graphs/narrow-floats.js';
import { quantiseEmbedding } from '../graphs/quantise-embedding.js';
import { QUANTISATIONS, quantiseProducts } from '../graphs/quantise-products.js';
import { buildStandardDecoder, type StandardOptions } from '../graphs/standard-decoder.js';
import { familyConfig, genaiConfig, modelConfig, smallSizes } from './family-configs.js';
import { PACKED_CACHE, type ModelFile } from './model-files.js';
import { testChain } from './test-chain.js';

const llama = decoderStyles[0]!;
const olmo2 = decoderStyles.find(({ name }) => name === 'olmo2')!;

function inTransformersJs(
  config: Record<string, unknown> | undefined,
  dtype: 'fp32' | 'fp16' = 'fp32',
): Partial<ModelFile> {
  return config === undefined ? { untried: PACKED_CACHE } : { config, dtype };
}

const families: ModelFile[] = [...decoderStyles, mixtral].map((style) => ({
  file: `small graph in the style of ${style.name}`,
  family: style.name,
  layout: 'Optimum, small graph',
  precision: 'float32',
  build: () => buildDecoder(style, { hidden: 32, opset: 17 }),
  ...inTransformersJs(familyConfig(style)),
}));

const genai: ModelFile[] = genaiStyles.map((style) => ({
  file: `genai ${style.name}, small graph`,
  family: style.name,
  layout: 'onnxruntime-genai, small graph',
  precision: style.mlp === 'quantised-experts' ? 'experts of 4 bits (QMoE)' : 'float32',
  build: () => buildGenaiDecoder(style),
  ...inTransformersJs(genaiConfig(style)),
}));

const standard: ModelFile[] = (
  [
    { opset: 23, cacheInAttention: false },
    { opset: 24, cacheInAttention: true },
    { opset: 23, cacheInAttention: false, countsPositions: true },
  ] as const
).map((options: StandardOptions) => ({
  file: `standard operators of opset ${options.opset}${options.countsPositions ? ', positions of one row' : ''}`,
  family: llama.name,
  layout: `torch.onnx, operators of opset ${options.opset}${options.countsPositions ? ', counted positions' : ''}, small graph`,
  precision: 'float32',
  // As it is read: the file itself takes one row only.
  build: () => readDecoder(buildStandardDecoder(options)).model,
  ...inTransformersJs(modelConfig('llama', smallSizes(2))),
}));

const precisions: ModelFile[] = QUANTISATIONS.map((quantisation) => ({
  file: `small graph with ${quantisation}`,
  family: llama.name,
  layout: 'Optimum, small graph',
  precision: quantisation,
  rounds: !/^MatMul(NBits|Bnb4)(?!.*accuracy)/.test(quantisation),
  build: () => {
    const opset = quantisation.includes('blocks') ? 21 : 17;
    return quantiseProducts(buildDecoder(llama, { hidden: 32, opset }), quantisation);
  },
  ...inTransformersJs(familyConfig(llama)),
}));

/** Its products read the residual stream itself, and so does the rounding in front of them. */
const withoutBlockNorm: ModelFile[] = QUANTISATIONS.filter((name) => /Integer|Dynamic|Linear/.test(name)).map(
  (quantisation) => ({
    ...precisions.find(({ precision }) => precision === quantisation)!,
    file: `olmo2, ${quantisation}`,
    family: olmo2.name,
    build: () => {
      const opset = quantisation.includes('blocks') ? 21 : 17;
      return quantiseProducts(buildDecoder(olmo2, { hidden: 32, opset }), quantisation);
    },
    ...inTransformersJs(familyConfig(olmo2)),
  }),
);

/** Converted as a whole: weights of four bits with float16 activations is what the browser's q4f16 files are. */
const conversions: [string, () => OnnxModel][] = [
  ['float16', () => narrowFloats(buildDecoder(llama, { hidden: 32, opset: 17 }), DataType.FLOAT16)],
  [
    'MatMulNBits 4, float16',
    () =>
      narrowFloats(
        quantiseProducts(buildDecoder(llama, { hidden: 32, opset: 17 }), 'MatMulNBits 4'),
        DataType.FLOAT16,
      ),
  ],
  [
    'MatMulNBits 4, embedding in blocks of 8 bits',
    () =>
      quantiseEmbedding(quantiseProducts(buildDecoder(llama, { hidden: 32, opset: 17 }), 'MatMulNBits 4')),
  ],
  ['bfloat16', () => narrowFloats(buildDecoder(llama, { hidden: 32, opset: 17 }), DataType.BFLOAT16)],
];

const converted: ModelFile[] = conversions.map(([precision, build]) => ({
  file: `small graph in ${precision}`,
  family: llama.name,
  layout: 'Optimum, small graph',
  precision,
  build,
  ...(precision === 'bfloat16'
    ? { untried: 'transformers.js has no bfloat16' }
    : inTransformersJs(familyConfig(llama), precision.includes('float16') ? 'fp16' : 'fp32')),
}));

const merged: ModelFile = {
  file: 'small graph, merged',
  family: llama.name,
  layout: 'Optimum, merged, small graph',
  precision: 'float32',
  build: () => mergeDecoders(buildDecoder(llama, { hidden: 32, opset: 17 })),
  ...inTransformersJs(familyConfig(llama)),
};

describe.each([...families, ...genai, ...standard, ...precisions, ...withoutBlockNorm, ...converted, merged])(
  '$file',
  testChain,
);
