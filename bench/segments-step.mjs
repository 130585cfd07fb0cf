/** Times gradient steps of a model in segments in this process; prints median seconds, loss and peak memory as JSON. */
import path from 'node:path';
import { openGradientModel } from '../dist/engine/loss/gradient-model.js';
import { makeLossBatch } from '../dist/engine/loss/loss-batch.js';
import { readDecoder } from '../dist/engine/decoder/read/read-decoder.js';
import { readModel } from '../dist/engine/onnx/file/model-file.js';
import { peakSoFar } from '../dist/engine/runtime/peak-memory.js';
import { SegmentSlot } from '../dist/engine/runtime/segment-slot.js';

const [folder, count, way] = process.argv.slice(2);
const decoder = readDecoder(await readModel(path.join(folder, 'model.onnx')));
const segments = Number(count);
const firstLayers = Array.from({ length: segments - 1 }, (_, index) =>
  Math.round(((index + 1) * decoder.layerCount) / segments),
);
const slot = way === 'in-turn' ? { slot: new SegmentSlot() } : {};
const session = segments > 1 ? { segments: { firstLayers, keptBytes: 1e7, ...slot } } : {};
const model = await openGradientModel(decoder, { skipped: [], granularity: 'channel', session });

const rows = Array.from({ length: 8 }, (_, row) => ({
  ids: Array.from({ length: 65 }, (__, token) => 5 + ((row * 131 + token * 71) % 671)),
  responseStart: 32,
}));
const batch = makeLossBatch(decoder, rows, 4);
const seconds = [];
let loss = 0;
for (let step = 0; step < 4; step += 1) {
  const started = performance.now();
  ({ loss } = await model.run(batch, new Map()));
  if (step > 0) seconds.push((performance.now() - started) / 1000);
}
await model.release();
const sorted = seconds.toSorted((a, b) => a - b);
console.log(JSON.stringify({ seconds: sorted[sorted.length >> 1], loss, peakBytes: peakSoFar() }));
