/**
 * Models with fewer tokens, or with logits of the last one alone, in the programs that people load them with: these make the
 * tokens of a question that the folder's tokenizer says, and write the text that they write with the whole model.
 */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { lastTokenHead } from '../../src/engine/cuts/last-token/last-token-head.js';
import { cutVocabulary } from '../../src/engine/cuts/vocabulary/cut-vocabulary.js';
import { planVocabulary } from '../../src/engine/cuts/vocabulary/plan-vocabulary.js';
import { loadTokenizer } from '../../src/engine/data/tokenizer.js';
import { openModel } from '../../src/engine/jobs/parts/source-model.js';
import { runInGenai } from '../models/elsewhere.js';
import { runInTransformersJs } from '../models/transformers-js.js';
import { genaiPython, genaiReason } from '../support/genai-python.js';
import { hasShared, sharedPath, sharedReason } from '../support/shared-folder.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const question = 'Ann has 58 nuts. Ann buys 17 more. Ann sells 26 nuts. How many nuts are there in the end?';
const answer = '58 + 17 = 75. 75 - 26 = 49. #### 49';
const NEW_TOKENS = 16;

/** A folder as it is, with fewer tokens, and with logits of the last position. */
async function folders(layout: string): Promise<string[]> {
  const { source, decoder } = await openModel(sharedPath('models', 'genai-0.18', layout));
  const place = temporaryFolder();
  const [fewer, last] = [path.join(place, 'fewer'), path.join(place, 'last')];
  const texts = [question, answer, '<|bos|><|user|>'];
  const plan = await planVocabulary({ source, decoder, keep: 'latin', texts, limit: 512 });
  expect(plan.kept).toHaveLength(512);
  await cutVocabulary({ source, decoder, plan, output: fewer });
  await lastTokenHead({ source, decoder, output: last });
  return [source.folder, fewer, last];
}

type Runs = readonly ({ prompt: number[]; tokens: number[] }[] | string)[];

/** What each folder's tokenizer makes of the ids, question and answer. */
async function textsOf(made: readonly string[], results: Runs): Promise<string[]> {
  const tokenizers = await Promise.all(made.map((folder) => loadTokenizer(folder)));
  return results.map((runs, at) => {
    if (typeof runs === 'string') throw new Error(`${made[at]} does not run: ${runs}`);
    return runs.map(({ prompt, tokens }) => tokenizers[at]!.decode([...prompt, ...tokens])).join('\n');
  });
}

describe.skipIf(!hasShared).each(['fp32-cpu', 'int4-cpu'])(
  `%s of onnxruntime-genai 0.18${sharedReason}`,
  (layout) => {
    it('writes the same text in transformers.js 4', async () => {
      const made = await folders(layout);
      const file = { dtype: 'fp32', subfolder: '', model_file_name: 'model' };
      const models = made.map((folder) => ({ folder, ...file }));
      // A folder of onnxruntime-genai's builder has no config.json; what was cut has one.
      const results = await runInTransformersJs(4, models.slice(1), [question], NEW_TOKENS);
      const [fewer, last] = await textsOf(made.slice(1), results);
      expect(last).toContain('58 + 17 = 75');
      expect(fewer).toBe(last);
    });

    it.skipIf(!genaiPython)(`writes the same text in onnxruntime-genai${genaiReason}`, async () => {
      const made = await folders(layout);
      const results = runInGenai(genaiPython!, made, [question], NEW_TOKENS);
      const [whole, fewer, last] = await textsOf(made, results);
      expect(whole).toContain('58 + 17 = 75');
      expect(fewer).toBe(whole);
      expect(last).toBe(whole);
    });
  },
);
