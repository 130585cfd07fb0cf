import { expect, test } from 'vitest';
import { memoryNeed, type MemoryFacts } from './memory-need.js';

const sample = {
  modelBytes: 9.6e6,
  parameters: 2_388_112,
  layers: 12,
  hiddenSize: 128,
  vocabularySize: 676,
  heads: 4,
  layerParameters: 184_576,
  rowTokens: 86,
  responseTokens: 40,
};
/** Long rows of text, all of it learnt: here the attention's scores take most. */
const stories = {
  modelBytes: 1.2e6,
  parameters: 292_804,
  layers: 5,
  hiddenSize: 64,
  vocabularySize: 512,
  heads: 8,
  layerParameters: 45_440,
  rowTokens: 256,
  responseTokens: 255,
};

/** Largest resident memory of `hopscotch slim` with --strategy fast on Linux, as GNU time tells it, in MB. */
test.each<[string, Omit<MemoryFacts, 'rows'>, number, number]>([
  ['the sample', sample, 4, 317],
  ['the sample', sample, 32, 662],
  ['the sample', sample, 128, 1735],
  ['stories260K', stories, 4, 395],
  ['stories260K', stories, 32, 1773],
])('%s: as measured, within a fifth (%#)', (_, facts, rows, megabytes) => {
  const { bytes } = memoryNeed({ ...facts, rows });
  expect(bytes / 1e6).toBeGreaterThan(megabytes * 0.9);
  expect(bytes / 1e6).toBeLessThan(megabytes * 1.2);
});

test('all rows in one batch: less than foreseen, since onnxruntime keeps nothing of batches of other lengths', () => {
  const { bytes } = memoryNeed({ ...stories, rows: 128 });
  expect(bytes / 1e6).toBeGreaterThan(3429);
  expect(bytes / 1e6).toBeLessThan(2 * 3429);
});

test('weights of few bits are computed with in float32', () => {
  const quantised = memoryNeed({ ...sample, modelBytes: 1.3e6, rows: 1 });
  const whole = memoryNeed({ ...sample, rows: 1 });
  expect(whole.bytes - quantised.bytes).toBeLessThan(10e6);
});
