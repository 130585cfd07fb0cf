/** The whole chain on every real file of the shared folder. */
import { describe, expect, it } from 'vitest';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { UserError } from '../../src/schema/errors.js';
import { readModel } from '../../src/engine/onnx/file/model-file.js';
import { hasShared, sharedPath, sharedReason } from '../support/shared-folder.js';
import { MODEL_FILES, REFUSED_FILES } from './model-files.js';
import { record, testChain } from './test-chain.js';

describe.skipIf(!hasShared).each(MODEL_FILES)(`$file${sharedReason}`, testChain);

describe.skipIf(!hasShared)(`files that are no plain decoders${sharedReason}`, () => {
  it.each(REFUSED_FILES)('%s is refused with one sentence', async (file) => {
    const message = await readModel(sharedPath(file)).then(
      (model) => {
        try {
          readDecoder(model);
          return undefined;
        } catch (error) {
          return error instanceof UserError ? error.message : undefined;
        }
      },
      (error: unknown) => (error instanceof UserError ? error.message : undefined),
    );
    record(file, { refusal: (message ?? '').replaceAll(sharedPath(), '...') });
    expect(message).toMatch(/^[A-Z/].*\.$/);
  });
});
