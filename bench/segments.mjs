/**
 * Peak memory and time of one gradient step (8 rows x 64 tokens, channel scales) against the size of the model, run
 * whole, in 2 segments and in one a layer; with all segments loaded, and with one loaded at a time. Models are made for
 * it; each step runs in a process of its own.
 * usage: node bench/segments.mjs (after npm run build); options: --hidden 512,1024 (each makes one model), --layers 12
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeModel } from './made-model.mjs';
import { stepInProcess } from './step.mjs';

const { values: flags } = parseArgs({
  options: {
    hidden: { type: 'string', default: '512,1024,1536' },
    layers: { type: 'string', default: '12' },
  },
});
const layers = Number(flags.layers);

const WAYS = [
  { name: 'whole' },
  { name: '2 segments, all loaded', segments: { count: 2, inTurn: false } },
  { name: `${layers} segments, all loaded`, segments: { count: layers, inTurn: false } },
  { name: '2 segments, one loaded at a time', segments: { count: 2, inTurn: true } },
  { name: `${layers} segments, one loaded at a time`, segments: { count: layers, inTurn: true } },
];

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
for (const hidden of flags.hidden.split(',').map(Number)) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hopscotch-bench-'));
  try {
    const sizes = { layers, hidden, heads: hidden / 128, kvHeads: hidden / 512, vocabulary: 4096 };
    const weights = await makeModel(folder, sizes);
    console.log(`${layers} layers of width ${hidden}: ${megabytes(weights)} of float32 weights`);
    let whole;
    for (const { name, segments } of WAYS) {
      const request = { model: { model: folder }, rows: 8, scales: 'channel', segments, steps: 3 };
      const { peakBytes, seconds, loss } = stepInProcess(request);
      whole ??= seconds;
      const time = `${seconds.toFixed(2)} s a step (x ${(seconds / whole).toFixed(2)})`;
      const share = (peakBytes / weights).toFixed(2);
      console.log(
        `  ${name.padEnd(36)} peak ${megabytes(peakBytes).padStart(7)} (weights x ${share})  ${time}  loss ${loss.toFixed(4)}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
