/**
 * Peak memory and time of one gradient step (8 rows x 64 tokens, channel scales) against the size of the model, run
 * whole, in 2 segments and in one a layer; with all segments loaded, and with one loaded at a time. Models are made for
 * it; each step runs in a process of its own.
 * usage: node bench/segments.mjs (after npm run build); options: --hidden 512,1024 (each makes one model), --layers 12
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeModel } from './made-model.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const option = (name, otherwise) => {
  const place = process.argv.indexOf(`--${name}`);
  return place < 0 ? otherwise : process.argv[place + 1];
};
const layers = Number(option('layers', '12'));
const widths = option('hidden', '512,1024,1536').split(',').map(Number);

const WAYS = [
  { name: 'whole', segments: 1, inTurn: false },
  { name: '2 segments, all loaded', segments: 2, inTurn: false },
  { name: `${layers} segments, all loaded`, segments: layers, inTurn: false },
  { name: '2 segments, one loaded at a time', segments: 2, inTurn: true },
  { name: `${layers} segments, one loaded at a time`, segments: layers, inTurn: true },
];

function measure(folder, { segments, inTurn }) {
  const file = path.join(here, 'segments-step.mjs');
  const args = [file, folder, `${segments}`, inTurn ? 'in-turn' : 'loaded'];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${args.join(' ')} failed:\n${result.stderr}`);
  return JSON.parse(result.stdout.trim().split('\n').at(-1));
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
for (const hidden of widths) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hopscotch-bench-'));
  try {
    const sizes = { layers, hidden, heads: hidden / 128, kvHeads: hidden / 512, vocabulary: 4096 };
    const weights = await makeModel(folder, sizes);
    console.log(`${layers} layers of width ${hidden}: ${megabytes(weights)} of float32 weights`);
    let whole;
    for (const way of WAYS) {
      const { peakBytes, seconds, loss } = measure(folder, way);
      whole ??= seconds;
      const time = `${seconds.toFixed(2)} s a step (x ${(seconds / whole).toFixed(2)})`;
      const share = (peakBytes / weights).toFixed(2);
      console.log(
        `  ${way.name.padEnd(36)} peak ${megabytes(peakBytes).padStart(7)} (weights x ${share})  ${time}  loss ${loss.toFixed(4)}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
