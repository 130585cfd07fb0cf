/** Exported folders in @huggingface/transformers: loaded offline, generating with the KV cache, as users run them. */
import type { ExportMode } from '../../src/schema/settings.js';
import type { BlockName } from '../../src/schema/blocks.js';
import path from 'node:path';
import { env, pipeline, type TextGenerationPipeline } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { stopTokenIds } from '../../src/engine/data/conversation-text.js';
import { encodePrompts } from '../../src/engine/data/encode-examples.js';
import { Generator } from '../../src/engine/generate/generator.js';
import { openModel } from '../../src/engine/jobs/parts/source-model.js';
import { exportSample } from '../support/export-sample.js';
import { sampleTokenizer } from '../support/sample.js';
import { sampleFolder } from '../support/shared-folder.js';

env.allowRemoteModels = false;

const questions = [
  'Ann has 58 nuts. Ann buys 17 more. Ann sells 26 nuts. How many nuts are there in the end?',
  'Wes has 37 toys. Then the number of toys doubles. Wes sells 7 toys. How many toys does Wes have now?',
  'Cleo has 14 apples.',
];

describe('in transformers.js', () => {
  it('the sample answers as it does in our generator', async () => {
    await expectSameTokens(sampleFolder);
  });

  it.each<[ExportMode, BlockName[]]>([
    ['folded', ['attention 8', 'attention 1', 'attention 0']],
    ['folded', ['attention 11', 'mlp 4', 'mlp 11']],
    ['explicit', ['attention 0', 'mlp 0', 'attention 5']],
  ])('a model exported with %s scales and without %j does, too', async (mode, skipped) => {
    const { folder } = await exportSample({ skipped, mode, granularity: 'channel+offset' });
    await expectSameTokens(folder);
  });
});

async function expectSameTokens(folder: string): Promise<void> {
  const ours = await ownTokens(folder);
  // With made-up scales a single answer may end at once.
  expect(ours.flat().length).toBeGreaterThan(24);
  expect(await theirTokens(folder)).toEqual(ours);
}

async function ownTokens(folder: string): Promise<number[][]> {
  const tokenizer = await sampleTokenizer();
  const { decoder } = await openModel(folder);
  const generator = await Generator.open(decoder, { threads: 1 });
  const examples = questions.map((content, line) => ({
    line,
    messages: [{ role: 'user' as const, content }],
  }));
  const { prompts } = encodePrompts(tokenizer, examples);
  const results = await generator.generate(
    prompts.map(({ ids }) => ids),
    { maxNewTokens: 24, stopTokens: new Set(stopTokenIds(tokenizer)) },
  );
  await generator.release();
  return results.map(({ tokens }) => tokens);
}

async function theirTokens(folder: string): Promise<number[][]> {
  env.localModelPath = path.dirname(folder);
  const generate = (await pipeline('text-generation', path.basename(folder), {
    dtype: 'fp32',
    device: 'cpu',
    local_files_only: true,
  })) as TextGenerationPipeline;
  const { tokenizer, model } = generate;
  // Its KV cache is on by default: what the graph wants, config.json must announce.
  const wanted = Object.keys(model.sessions).flatMap(
    (name) => (model.sessions as Record<string, { inputNames: string[] }>)[name]!.inputNames,
  );
  const layers = (model.config as unknown as { num_hidden_layers: number }).num_hidden_layers;
  expect(wanted.filter((name) => name.startsWith('past_key_values.'))).toHaveLength(2 * layers);
  const results: number[][] = [];
  for (const content of questions) {
    const inputs = tokenizer.apply_chat_template([{ role: 'user', content }], {
      add_generation_prompt: true,
      return_dict: true,
    }) as { input_ids: { dims: number[] } };
    const output = (await model.generate({ ...inputs, max_new_tokens: 24, do_sample: false })) as {
      tolist(): bigint[][];
    };
    results.push(output.tolist()[0]!.slice(inputs.input_ids.dims[1]).map(Number));
  }
  await generate.dispose();
  return results;
}
