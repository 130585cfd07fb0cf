/** The similarity of streams is measured in every layout in which an operator writes its own cache, in each precision. */
import { describe, expect, it } from 'vitest';
import { buildGenaiDecoder, genaiStyles } from '../../../../test/graphs/genai-decoder.js';
import { narrowFloats } from '../../../../test/graphs/narrow-floats.js';
import { buildStandardDecoder } from '../../../../test/graphs/standard-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import { hasShared, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { blockNames, type Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { readModel } from '../../onnx/file/model-file.js';
import { measureSimilarity } from './stream-similarity.js';

async function expectSimilarities(decoder: Decoder): Promise<number[]> {
  const { byBlock, layers } = await measureSimilarity(decoder, [lossBatchOf(decoder)], undefined, () => {});
  expect([...byBlock.keys()]).toEqual(blockNames(decoder));
  const cosines = [...byBlock.values(), ...layers.values()];
  for (const cosine of cosines) expect(Math.abs(cosine)).toBeLessThan(1 + 1e-3);
  return cosines;
}

describe.each(genaiStyles.filter(({ mlp }) => mlp !== 'quantised-experts'))('genai $name', (style) => {
  it('has the same similarities in float32 and float16', async () => {
    const model = buildGenaiDecoder(style);
    const wide = await expectSimilarities(readDecoder(model));
    const narrow = await expectSimilarities(readDecoder(narrowFloats(model, DataType.FLOAT16)));
    narrow.forEach((cosine, index) => expect(cosine).toBeCloseTo(wide[index]!, 2));
  });
});

it('standard attention that holds its cache has similarities', async () => {
  await expectSimilarities(readDecoder(buildStandardDecoder({ opset: 24, cacheInAttention: true })));
});

it
  .skipIf(!hasShared)
  .each([
    'models/genai-0.18/fp32-cpu/model.onnx',
    'models/genai-0.18/int4-cpu/model.onnx',
    'models/genai-0.18/fp16-webgpu/model.onnx',
    'models/genai-0.18/int4-webgpu/model.onnx',
    'sample/onnx/genai-fp16.onnx',
  ])(`%s has similarities${sharedReason}`, async (file) => {
  await expectSimilarities(readDecoder(await readModel(sharedPath(file))));
});
