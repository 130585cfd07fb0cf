import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { readModel } from '../onnx/file/model-file.js';
import { describeDecoder, savingsOf } from './describe.js';
import { readDecoder } from './read/read-decoder.js';

describe('describeDecoder', async () => {
  const sample = describeDecoder(readDecoder(await readModel(path.join(sampleFolder, 'onnx', 'model.onnx'))));

  it('counts the weights of the sample model', () => {
    const attention = 128 + 128 * 128 + 2 * 128 * 64 + 128 * 128;
    const mlp = 128 + 3 * 128 * 352;
    // Beside the weights, settings such as the frequencies of the rotary positions count as shared.
    const rotary = 16;
    expect(sample.blocks[0]).toMatchObject({ name: 'attention 0', layer: 0, parameters: attention });
    expect(sample.blocks[1]).toMatchObject({ name: 'mlp 0', layer: 0, parameters: mlp });
    expect(sample.embedding.parameters).toBe(676 * 128);
    expect(sample.head.parameters).toBe(128 + 676 * 128);
    expect(sample.total.parameters).toBe(12 * (attention + mlp) + 2 * 676 * 128 + 128 + rotary);
    expect(sample.precision[0]).toMatchObject({ type: 'float32', share: expect.closeTo(1, 2) });
  });

  it('accounts for every byte', () => {
    const parts = [...sample.blocks, sample.embedding, sample.head, sample.shared];
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(sample.total.bytes);
    expect(sample.shared.bytes).toBeGreaterThanOrEqual(0);
  });

  it('knows the cache of each token: keys and values of 2 heads of 32 in float32', () => {
    expect(sample.blocks[0]!.cacheBytesPerToken).toBe(2 * 2 * 32 * 4);
    expect(sample.blocks[1]!.cacheBytesPerToken).toBeUndefined();
    expect(sample.cacheBytesPerToken).toBe(12 * 512);
  });

  it('says what skipped blocks save', () => {
    const savings = savingsOf(sample, ['attention 0', 'attention 5', 'mlp 3']);
    expect(savings.cacheShare).toBeCloseTo(2 / 12);
    expect(savings.bytes).toBe(2 * sample.blocks[0]!.bytes + sample.blocks[1]!.bytes);
    expect(savings.share).toBeCloseTo(savings.bytes / sample.total.bytes);
    expect(savingsOf(sample, [])).toMatchObject({ bytes: 0, share: 0, cacheBytesPerToken: 0, cacheShare: 0 });
  });

  it('describes packed caches, parallel residuals and models without a cache', () => {
    const of = (name: string, cache: boolean) =>
      describeDecoder(
        readDecoder(
          buildDecoder(
            decoderStyles.find((style) => style.name === name)!,
            { cache },
          ),
        ),
      );
    expect(of('gpt2', true)).toMatchObject({
      cacheBytesPerToken: 3 * 2 * 16 * 4,
      parallel: false,
      opset: 14,
    });
    expect(of('phi', true)).toMatchObject({ cacheBytesPerToken: 3 * 2 * 16 * 4, parallel: true });
    expect(of('llama', false).cacheBytesPerToken).toBeUndefined();
    expect(savingsOf(of('llama', false), ['attention 0']).cacheShare).toBeUndefined();
  });
});
