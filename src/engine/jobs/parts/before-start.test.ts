/** What would stop a job later is said before it computes anything. */
import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { sampleFolder } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { writeModel } from '../../onnx/file/model-file.js';
import { requirePossible } from './before-start.js';
import { checkedSettings } from './settings.js';
import { openModel, type SourceModel } from './source-model.js';

/** The sample with its weights in a file of their own, beside all that it comes with. */
const folder = temporaryFolder();
const license = path.join(folder, 'license.txt');
const output = path.join(temporaryFolder(), 'slimmed');
let model: SourceModel;

beforeAll(async () => {
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    cpSync(path.join(sampleFolder, name), path.join(folder, name));
  const { decoder } = await openModel(sampleFolder);
  const moveToExternal = { location: 'model.onnx_data', above: 1000 };
  await writeModel(decoder.model, path.join(folder, 'model.onnx'), { moveToExternal });
});
beforeEach(async () => {
  model = await openModel(folder);
});

const check =
  (given: object = {}) =>
  () =>
    requirePossible(
      model,
      checkedSettings({ model: folder, dataset: 'rows.jsonl', output, ...given }),
      path.join(temporaryFolder(), 'run'),
    );

it('nothing is said, and nothing left behind, where the job can be done', () => {
  expect(check()).not.toThrow();
  expect(check({ output: path.join(output, 'deep', 'inside') })).not.toThrow();
  expect(readdirSync(path.dirname(output))).toEqual([]);
});

it.each([
  ['that lies in a file', '/dev/null/slimmed', /cannot be written to: a part of the path is a file/],
  ['with too long a name', path.join(output, 'a'.repeat(300)), /cannot be written to: the name is too long/],
  ['that is taken', sampleFolder, /exists already/],
])('an output folder %s is refused', (_, taken, sentence) => {
  expect(check({ output: taken })).toThrow(sentence);
});

it('a budget that the model has no room for is refused', () => {
  expect(check({ budget: { kind: 'blocks', blocks: 12 } })).toThrow(/a budget of 12 is too much/);
});

it('a link to a file that is not there is named', () => {
  symlinkSync('/nowhere', license);
  expect(check()).toThrow(`${license} is a link to a file that is not there`);
  rmSync(license);
});

it('a config that is damaged is named', () => {
  writeFileSync(path.join(folder, 'genai_config.json'), '{ "model": ');
  expect(check()).toThrow(/genai_config\.json is not valid JSON .*\.$/);
  rmSync(path.join(folder, 'genai_config.json'));
});
