/** What a decoder computes on an execution provider, as plain numbers, so that two providers can be compared. */
import type { BlockName } from '../../src/schema/blocks.js';
import type { Granularity, Provider } from '../../src/schema/settings.js';
import { openForwardModel } from '../../src/engine/loss/forward-model.js';
import { openGradientModel } from '../../src/engine/loss/open-gradient-model.js';
import type { LossBatch } from '../../src/engine/loss/loss-batch.js';
import type { Decoder } from '../../src/engine/decoder/decoder.js';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { Generator } from '../../src/engine/generate/generator.js';
import type { OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { buildDecoder, decoderStyles } from '../graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../graphs/genai-decoder.js';
import { alikeBatchOf, randomScales, skippedOfBothKinds } from './random-scales.js';

export interface DecoderResults {
  /** By granularity. */
  gradients: Record<string, { loss: number; gradients: Record<string, number[]> }>;
  forward: { loss: number; tokenLosses: number[]; predictions: number[]; logits: number[] };
  /** Of each prompt, greedily, with the KV cache. */
  generated: number[][];
  /** Operators that the provider left to the CPU; none are named on the CPU itself. */
  cpuOperators: string[];
}

/** @param styleName of test/graphs */
export async function decoderResults(styleName: string, provider: Provider): Promise<DecoderResults> {
  const decoder = readDecoder(modelOf(styleName));
  const batch = alikeBatchOf(decoder);
  const cpuOperators = new Set<string>();
  const runOptions = {
    provider,
    onCpuOperators: (operators: readonly string[]) => operators.forEach((name) => cpuOperators.add(name)),
  };
  const gradients: DecoderResults['gradients'] = {};
  for (const [granularity, skipped] of GRADIENTS) {
    const model = await openGradientModel(decoder, { skipped, granularity, runOptions });
    const result = await model.run(batch, randomScales(decoder, skipped, granularity));
    gradients[granularity] = {
      loss: result.loss,
      gradients: Object.fromEntries([...result.gradients].map(([key, values]) => [key, Array.from(values)])),
    };
    await model.release();
  }
  return {
    gradients,
    forward: await forwardResults(decoder, batch, provider),
    generated: await generatedTokens(decoder, provider),
    cpuOperators: [...cpuOperators],
  };
}

/** A style of test/graphs, or of onnxruntime-genai's there with 'genai' before its name. */
function modelOf(styleName: string): OnnxModel {
  const genai = genaiStyles.find(({ name }) => `genai ${name}` === styleName);
  return genai
    ? buildGenaiDecoder(genai)
    : buildDecoder(decoderStyles.find(({ name }) => name === styleName)!);
}

/** Some blocks deleted where the scales are fine, none where there is one a block. */
const GRADIENTS: readonly (readonly [Granularity, readonly BlockName[]])[] = [
  ['scalar', []],
  ['channel+gain', skippedOfBothKinds],
];

async function forwardResults(
  decoder: Decoder,
  batch: LossBatch,
  provider: Provider,
): Promise<DecoderResults['forward']> {
  const model = await openForwardModel(decoder, {
    skipped: [],
    granularity: 'scalar',
    runOptions: { provider },
  });
  const scales = randomScales(decoder, [], 'scalar');
  const { loss, tokenLosses, predictions } = await model.run(batch, scales);
  const logits = await model.logits(batch, scales);
  await model.release();
  return {
    loss,
    tokenLosses: Array.from(tokenLosses),
    predictions: Array.from(predictions),
    logits: Array.from(logits),
  };
}

async function generatedTokens(decoder: Decoder, provider: Provider): Promise<number[][]> {
  const prompts = [
    [3, 1, 4, 1, 5],
    [9, 2],
    [6, 5, 3],
  ];
  const generator = await Generator.open(decoder, { provider });
  const results = await generator.generate(prompts, { maxNewTokens: 8, stopTokens: new Set() });
  await generator.release();
  return results.map(({ tokens }) => tokens);
}
