import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { sampleFolder } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import type { Aim } from '../../../schema/cuts.js';
import { vocabularyForAim } from './plan-cuts.js';
import { openModel } from './source-model.js';

it('an aim leaves the vocabulary alone where the tokenizer is of a kind that cannot be cut', async () => {
  const aim: Aim = { goal: { kind: 'size', bytes: 1e6 }, cuts: ['vocabulary', 'precision'] };
  const model = await openModel(sampleFolder);
  expect(await vocabularyForAim(aim, model)).toEqual({ vocabulary: 'task' });
  const folder = temporaryFolder();
  const words = { model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' } };
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(words));
  expect(await vocabularyForAim(aim, { ...model, source: { ...model.source, folder } })).toEqual({});
});
