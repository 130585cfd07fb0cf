/** What the last layer gives while answers are written is what it gives when they are read. */
import { expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../../../test/graphs/genai-decoder.js';
import type { OnnxModel } from '../onnx/file/model-file.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { openForwardModel } from '../loss/forward-model.js';
import { makeLossBatch } from '../loss/loss-batch.js';
import { Generator } from './generator.js';

/** The first three begin alike; the last one is a batch of its own. */
const prompts = [
  [12, 7, 5, 1, 6, 3, 1, 4],
  [12, 7, 5, 1, 6, 9],
  [12, 7, 5, 1, 6, 2, 7, 1, 8],
  Array.from({ length: 30 }, (_, at) => (at * at) % 31),
];
const STOP = 3;

it.each([
  ...decoderStyles.map((style) => [style.name, () => buildDecoder(style)] as const),
  ['without a KV cache', () => buildDecoder(decoderStyles[0]!, { cache: false })] as const,
  ...genaiStyles
    .filter(({ mlp }) => mlp !== 'quantised-experts')
    .map((style) => [`genai ${style.name}`, () => buildGenaiDecoder(style)] as const),
])('%s', async (_, build: () => OnnxModel) => {
  const decoder = readDecoder(build());
  const generator = await Generator.openForBatches(decoder, { threads: 1 }, 4, true);
  const told = prompts.map((): Float32Array[] => []);
  const results = await generator.generate(prompts, {
    maxNewTokens: 12,
    stopTokens: new Set([STOP]),
    onStream: (prompt, position, stream) => {
      const width = decoder.hiddenSize;
      for (let at = 0; at < stream.length / width; at += 1)
        told[prompt]![position + at] = stream.slice(at * width, (at + 1) * width);
    },
  });
  await generator.release();

  const reader = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
  for (const [row, prompt] of prompts.entries()) {
    const ids = [...prompt, ...results[row]!.tokens];
    // The last token is not read.
    expect(told[row]).toHaveLength(ids.length - 1);
    const batch = makeLossBatch(decoder, [{ ids, responseStart: 1 }], 0);
    const expected = await reader.hidden(batch, new Map());
    const largest = Math.max(...expected.map(Math.abs));
    told[row]!.forEach((values, at) =>
      values.forEach((value, channel) => {
        const other = expected[at * decoder.hiddenSize + channel]!;
        expect(Math.abs(value - other)).toBeLessThan(1e-5 * largest);
      }),
    );
  }
  await reader.release();
});
