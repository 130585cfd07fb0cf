/** Times gradient steps of the sample in this process; prints median seconds, loss and peak memory as JSON. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGradientModel } from '../dist/engine/loss/gradient-model.js';
import { makeLossBatch } from '../dist/engine/loss/loss-batch.js';
import { openModel } from '../dist/engine/jobs/parts/source-model.js';

const threads = Number(process.argv[2] ?? 1);
const sample = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'assets', 'sample');
const { decoder } = await openModel(sample);
const model = await openGradientModel(decoder, { skipped: [], granularity: 'scalar', session: { threads } });

// The same tokens as gradient-step-torch.py: 32 rows of 65, a response from position 32 on.
const rows = Array.from({ length: 32 }, (_, row) => ({
  ids: Array.from({ length: 65 }, (__, token) => 5 + ((row * 131 + token * 71) % 671)),
  responseStart: 32,
}));
const batch = makeLossBatch(decoder, rows, 4);
const seconds = [];
let loss = 0;
for (let step = 0; step < 8; step += 1) {
  const started = performance.now();
  ({ loss } = await model.run(batch, new Map()));
  if (step >= 2) seconds.push((performance.now() - started) / 1000);
}
const sorted = seconds.toSorted((a, b) => a - b);
console.log(
  JSON.stringify({
    seconds: sorted[sorted.length >> 1],
    loss,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
