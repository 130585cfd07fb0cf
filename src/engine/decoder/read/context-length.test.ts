import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { readModel } from '../../onnx/file/model-file.js';
import { readDecoder } from './read-decoder.js';

describe('how many tokens a model can read', () => {
  it.each(decoderStyles)('is the length of a table of learned positions, else anything: $name', (style) => {
    const { contextLength } = readDecoder(buildDecoder(style));
    expect(contextLength).toBe(style.positions.startsWith('learned') ? 64 : undefined);
  });

  it('is anything where positions become angles in the graph', async () => {
    const model = await readModel(path.join(sampleFolder, 'onnx', 'model.onnx'));
    expect(readDecoder(model).contextLength).toBeUndefined();
  });

  it.skipIf(!hasShared).each([
    ['rotations worked out beforehand', 'models/genai-0.18/int4-cpu/model.onnx', 512],
    ['positions in a fused norm', 'models/fixtures/ort-genai/tiny-random-gpt2-fp32/past.onnx', 512],
  ])(`is that of a table of %s${sharedReason}`, async (_, file, length) => {
    expect(readDecoder(await readModel(sharedPath(file))).contextLength).toBe(length);
  });
});
