/** Weights in files beside the model: transformers.js finds them by name, and by what config.json says. */
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runInTransformersJs } from '../../../test/models/transformers-js.js';
import { exportSample, freshPath } from '../../../test/support/export-sample.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { externalFiles, readModel, writeModel } from '../onnx/file/model-file.js';

interface Config {
  'transformers.js_config': Record<string, unknown>;
}

/** The sample with its weights in two files, whose names and number only its own config knows. */
async function sampleInParts(): Promise<string> {
  const folder = freshPath('sample');
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    cpSync(path.join(sampleFolder, name), path.join(folder, name));
  const [first, file] = ['first', 'model'].map((name) => path.join(folder, 'onnx', `${name}.onnx`));
  const large = { location: 'weights.bin', above: 100_000 };
  await writeModel(await readModel(path.join(sampleFolder, 'onnx', 'model.onnx')), first!, {
    moveToExternal: large,
  });
  await writeModel(await readModel(first!), file!, {
    renameExternal: () => 'large.bin',
    moveToExternal: { location: 'small.bin', above: 1000 },
  });
  const config = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')) as object;
  const given = { use_external_data_format: true, kv_cache_dtype: { fp16: 'float16' } };
  writeFileSync(
    path.join(folder, 'config.json'),
    JSON.stringify({ ...config, 'transformers.js_config': given }),
  );
  return folder;
}

it('weights in several files keep to as many, under the names that transformers.js looks for', async () => {
  const from = await sampleInParts();
  const source = await readModel(path.join(from, 'onnx', 'model.onnx'));
  expect(externalFiles(source).toSorted()).toEqual(['large.bin', 'small.bin']);
  const exported = await exportSample({ skipped: ['attention 8', 'mlp 4'], from });
  expect(readdirSync(path.dirname(exported.modelPath)).toSorted()).toEqual([
    'model.onnx',
    'model.onnx_data',
    'model.onnx_data_1',
  ]);
  const config = JSON.parse(readFileSync(path.join(exported.folder, 'config.json'), 'utf8')) as Config;
  expect(config['transformers.js_config']).toEqual({
    use_external_data_format: { 'model.onnx': 2 },
    kv_cache_dtype: { fp16: 'float16' },
  });
  expect(exported.slimmedBytes).toBeLessThan(exported.originalBytes);
  for (const version of [3, 4] as const) {
    const models = [{ folder: exported.folder, dtype: 'fp32' }];
    const [runs] = await runInTransformersJs(version, models, [[0, 1, 20, 30]], 3);
    expect(runs, `transformers.js ${version}`).toHaveProperty('0.tokens.length', 3);
  }
});
