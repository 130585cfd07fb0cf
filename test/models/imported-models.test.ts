/** The whole chain on small random models of another format, imported; and in the form of onnxruntime-genai's builder. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'vitest';
import { readModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { Graph } from '../../src/engine/onnx/graph/graph.js';
import { importModel } from '../support/import-model.js';
import { repositoryRoot } from '../support/shared-folder.js';
import { modelConfig } from './family-configs.js';
import type { ModelFile } from './model-files.js';
import { testChain } from './test-chain.js';

const folderOf = (family: string) => path.join(repositoryRoot, 'test', 'families', family);
const ggufOf = (family: string) => path.join(folderOf(family), 'model.gguf');
const sampleGguf = path.join(repositoryRoot, 'test', 'gguf', 'sample.gguf');

async function imported(gguf: string): Promise<OnnxModel> {
  return await readModel(path.join(await importModel(gguf), 'model.onnx'));
}

/** With the operator that convolves and keeps the state by itself. */
async function withFusedConvolutions(): Promise<OnnxModel> {
  const model = await imported(ggufOf('lfm2'));
  const graph = new Graph(model.graph);
  for (const node of graph.nodes.filter(({ opType }) => opType === 'Conv')) {
    const [past, value] = graph.producer(node.input[0]!)!.input;
    const present = graph.consumers(node.input[0]!).find(({ opType }) => opType === 'Slice');
    const outputs = [node.output[0]!, present!.output[0]!];
    const inputs = [value!, node.input[1]!, '', past!];
    graph.removeNodes(new Set([node, present!]));
    const attributes = { ndim: 1, activation: 'none' };
    graph.addNode('CausalConvWithState', inputs, attributes, {
      domain: 'com.microsoft',
      outputs,
      label: past!,
    });
  }
  graph.removeUnused();
  graph.sortNodes();
  return model;
}

const config = (family: string) =>
  JSON.parse(readFileSync(path.join(folderOf(family), 'config.json'), 'utf8')) as Record<string, unknown>;

const models: ModelFile[] = [
  ...['lfm2', 'gpt2', 'phi3'].map((family) => ({
    file: `${family}, imported`,
    family,
    layout: 'imported from GGUF',
    precision: 'float16, computed in float32',
    build: () => imported(ggufOf(family)),
    config: { ...config(family), eos_token_id: 677 },
    dtype: 'fp32' as const,
  })),
  {
    file: 'phi3, imported, texts beyond the border of LongRoPE',
    family: 'phi3',
    layout: 'imported from GGUF',
    precision: 'float16, computed in float32',
    build: () => imported(ggufOf('phi3')),
    config: { ...config('phi3'), eos_token_id: 677 },
    dtype: 'fp32',
    promptLengths: [35, 33, 41, 37],
  },
  ...[undefined, [35, 33, 41, 37]].map((promptLengths) => ({
    file: `phi3, of onnxruntime-genai's builder${promptLengths ? ', texts beyond the border of LongRoPE' : ''}`,
    family: 'phi3',
    layout: 'onnxruntime-genai 0.18, small graph',
    precision: 'float32',
    build: () => readModel(path.join(folderOf('phi3'), 'genai', 'model.onnx')),
    config: { ...config('phi3'), eos_token_id: 677 },
    dtype: 'fp32' as const,
    promptLengths,
  })),
  {
    file: 'sample.gguf, imported',
    family: 'llama',
    layout: 'imported from GGUF',
    precision: 'a type for each weight, 4 to 32 bits',
    rounds: true,
    build: () => imported(sampleGguf),
    config: modelConfig('llama', {
      layers: 2,
      hidden: 128,
      heads: 4,
      kvHeads: 2,
      headSize: 32,
      vocabulary: 676,
    }),
    dtype: 'fp32',
  },
  {
    file: 'lfm2 with CausalConvWithState',
    family: 'lfm2',
    layout: 'onnxruntime-genai 0.18, small graph',
    precision: 'float32',
    build: withFusedConvolutions,
    untried: "transformers.js calls the states otherwise than onnxruntime-genai's builder",
  },
];

describe.each(models)('$file', testChain);
