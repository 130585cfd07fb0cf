import { expect, test } from 'vitest';
import { layersNeed, wholeNeed, type MemoryFacts } from './memory-need.js';

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
  const { bytes } = wholeNeed({ ...facts, rows });
  expect(bytes / 1e6).toBeGreaterThan(megabytes * 0.9);
  expect(bytes / 1e6).toBeLessThan(megabytes * 1.2);
});

test('all rows in one batch: less than foreseen, since onnxruntime keeps nothing of batches of other lengths', () => {
  const { bytes } = wholeNeed({ ...stories, rows: 128 });
  expect(bytes / 1e6).toBeGreaterThan(3429);
  expect(bytes / 1e6).toBeLessThan(2 * 3429);
});

test('weights of few bits are computed with in float32', () => {
  const quantised = wholeNeed({ ...sample, modelBytes: 1.3e6, rows: 1 });
  const whole = wholeNeed({ ...sample, rows: 1 });
  expect(whole.bytes - quantised.bytes).toBeLessThan(10e6);
});

const smollm2 = {
  modelBytes: 538e6,
  parameters: 134_515_008,
  layers: 30,
  hiddenSize: 576,
  vocabularySize: 49_152,
  heads: 9,
  layerParameters: 3_540_096,
};
/** 262,144 tokens, whose table the file holds twice. */
const gemma3 = {
  modelBytes: 1.74e9,
  parameters: 435_870_336,
  layers: 18,
  hiddenSize: 640,
  vocabularySize: 262_144,
  heads: 4,
  layerParameters: 5_573_000,
};

/** Peak of a process that takes a gradient step of 8 rows, in MB (docs/decisions/060-one-session-for-all-layers.md). */
test.each<[string, Omit<MemoryFacts, 'rows' | 'rowTokens' | 'responseTokens'>, number, number]>([
  ['SmolLM2-135M', smollm2, 128, 2100],
  ['SmolLM2-135M', smollm2, 256, 3300],
  ['Gemma 3 270M', gemma3, 128, 3500],
])('%s, layer by layer: as measured, within a fifth (%#)', (_, facts, rowTokens, megabytes) => {
  const { bytes, largest } = layersNeed({ ...facts, rows: 8, rowTokens, responseTokens: rowTokens });
  expect(bytes / 1e6).toBeGreaterThan(megabytes * 0.95);
  expect(bytes / 1e6).toBeLessThan(megabytes * 1.2);
  // A job of the usual size runs in the app's own process.
  expect(largest).toBeLessThan(2 ** 30);
});
