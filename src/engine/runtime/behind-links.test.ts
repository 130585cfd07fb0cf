/** A model in the Hugging Face cache: every file a link from the snapshot into blobs, under a name of its own. */
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { Generator } from '../generate/generator.js';
import { readModel, writeModel } from '../onnx/file/model-file.js';

const samplePath = path.join(sampleFolder, 'onnx', 'model.onnx');

describe('a model whose weights lie behind links', () => {
  const root = temporaryFolder();
  const snapshot = path.join(root, 'models--me--tiny', 'snapshots', 'abc');
  const answer = async (file: string) => {
    const generator = await Generator.open(readDecoder(await readModel(file)));
    const [generated] = await generator.generate([[0, 1, 40, 2]], {
      maxNewTokens: 8,
      stopTokens: new Set(),
    });
    await generator.release();
    return generated!.tokens;
  };

  beforeAll(async () => {
    const blobs = path.join(root, 'models--me--tiny', 'blobs');
    mkdirSync(blobs, { recursive: true });
    mkdirSync(snapshot, { recursive: true });
    const written = temporaryFolder();
    await writeModel(await readModel(samplePath), path.join(written, 'model.onnx'), {
      moveToExternal: { location: 'model.onnx_data', above: 1024 },
    });
    for (const [name, blob] of [
      ['model.onnx', '0a1b'],
      ['model.onnx_data', '2c3d'],
    ] as const) {
      copyFileSync(path.join(written, name), path.join(blobs, blob));
      symlinkSync(path.join('..', '..', 'blobs', blob), path.join(snapshot, name));
    }
    symlinkSync(snapshot, path.join(root, 'linked'));
  });

  it('answers as the model itself', async () => {
    expect(await answer(path.join(snapshot, 'model.onnx'))).toEqual(await answer(samplePath));
  });

  it('answers through a link to the snapshot, too', async () => {
    expect(await answer(path.join(root, 'linked', 'model.onnx'))).toEqual(await answer(samplePath));
  });
});
