import { describe, expect, it } from 'vitest';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { encodeModel } from '../../src/engine/onnx/file/model-file.js';
import { float32Values } from '../../src/engine/runtime/tensors.js';
import { buildDecoder, decoderStyles, mixtral } from './build-decoder.js';
import { largestDifference, runDecoder } from './run-decoder.js';

describe.each([...decoderStyles, mixtral])('buildDecoder in the style of $name', (style) => {
  it('gives the same model for the same seed', () => {
    const bytes = [1, 1, 2].map((seed) =>
      Buffer.from(encodeModel(buildDecoder(style, { seed }))).toString('base64'),
    );
    expect(bytes[1]).toBe(bytes[0]);
    expect(bytes[2]).not.toBe(bytes[0]);
  });

  it('computes the same with every operator set', async () => {
    const [first, ...others] = await Promise.all(
      [11, 13, 14, 17, 18].map(
        async (opset) => await runDecoder(readDecoder(buildDecoder(style, { opset }))),
      ),
    );
    for (const other of others) expect(largestDifference(first!, other)).toBeLessThan(1e-5);
  });

  it('computes the same with a filled cache and without one', async () => {
    const cached = await runDecoder(readDecoder(buildDecoder(style)), {
      rows: 1,
      positions: [4, 3],
      tokens: sequence,
    });
    const whole = await runDecoder(readDecoder(buildDecoder(style, { cache: false })), {
      rows: 1,
      positions: [7, 0],
      tokens: sequence,
    });
    const logits = float32Values(whole[0]!['logits']!);
    const last = float32Values(cached[1]!['logits']!);
    logits.subarray(4 * 31).forEach((value, index) => expect(last[index]).toBeCloseTo(value, 4));
  });
});

/** The token at a position. */
function sequence(position: number): number {
  return (position * 5 + 2) % 31;
}
