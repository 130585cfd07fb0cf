import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { openModel } from '../../jobs/parts/source-model.js';
import { writeModel } from './model-file.js';

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`;

/** A model with its weights in a second file, which something is done to. */
async function opened(change: (folder: string) => void): Promise<unknown> {
  const folder = path.join(temporaryFolder(), 'model');
  mkdirSync(folder);
  const moveToExternal = { location: 'model.onnx_data', above: 64 };
  await writeModel(buildDecoder(decoderStyles[0]!), path.join(folder, 'model.onnx'), { moveToExternal });
  change(folder);
  return await openModel(folder);
}

it('a whole model is opened', async () => {
  await expect(opened(() => {})).resolves.toBeDefined();
});

it.each(['model.onnx', 'model.onnx_data', 'config.json'])(
  'a Git-LFS pointer is called one: %s',
  async (name) => {
    const broken = opened((folder) => writeFileSync(path.join(folder, name), POINTER));
    await expect(broken).rejects.toThrow(/is a Git-LFS pointer.*run 'git lfs pull'/);
  },
);

it.each([
  ['model.onnx', 'is not an ONNX model, or it is damaged or was not downloaded completely'],
  ['model.onnx_data', "The weights file 'model.onnx_data' ends before weight"],
])('a file that was cut is found before anything is run: %s', async (name, message) => {
  await expect(opened((folder) => truncateSync(path.join(folder, name), 4500))).rejects.toThrow(message);
});
