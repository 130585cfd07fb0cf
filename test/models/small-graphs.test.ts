/** The whole chain on small graphs with random weights, which mirror what exporters write for a family or precision. */
import { describe } from 'vitest';
import { buildDecoder, decoderStyles, mixtral } from '../graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../graphs/genai-decoder.js';
import { mergeDecoders } from '../graphs/merge-decoders.js';
import { QUANTISATIONS, quantiseProducts } from '../graphs/quantise-products.js';
import { buildStandardDecoder } from '../graphs/standard-decoder.js';
import type { ModelFile } from './model-files.js';
import { testChain } from './test-chain.js';

const llama = decoderStyles[0]!;

const families: ModelFile[] = [...decoderStyles, mixtral].map((style) => ({
  file: `small graph in the style of ${style.name}`,
  family: style.name,
  layout: 'Optimum, small graph',
  precision: 'float32',
  build: () => buildDecoder(style, { hidden: 32, opset: 17 }),
}));

const genai: ModelFile[] = genaiStyles.map((style) => ({
  file: `genai ${style.name}, small graph`,
  family: style.name,
  layout: 'onnxruntime-genai, small graph',
  precision: style.mlp === 'quantised-experts' ? 'experts of 4 bits (QMoE)' : 'float32',
  build: () => buildGenaiDecoder(style),
}));

const standard: ModelFile[] = ([23, 24] as const).map((opset) => ({
  file: `standard operators of opset ${opset}`,
  family: llama.name,
  layout: `torch.onnx, operators of opset ${opset}, small graph`,
  precision: 'float32',
  build: () => buildStandardDecoder({ opset, cacheInAttention: opset === 24 }),
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
}));

const merged: ModelFile = {
  file: 'small graph, merged',
  family: llama.name,
  layout: 'Optimum, merged, small graph',
  precision: 'float32',
  build: () => mergeDecoders(buildDecoder(llama, { hidden: 32, opset: 17 })),
};

describe.each([...families, ...genai, ...standard, ...precisions, merged])('$file', testChain);
