/**
 * One gradient step (of the sample, 32 rows x 64 tokens) against the published algorithm in PyTorch: seconds and peak
 * memory, as ratios within one run. Each side runs in a process of its own, in turn, several times.
 * usage: node bench/gradient-step.mjs (after npm run build); options: --rounds 5  --python PYTHON
 * another model: --model ONNX_FOLDER --torch SAFETENSORS_FOLDER (float32, a Llama) --rows 8 --tokens 256 --threads 2
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root, sample } from './context.mjs';
import { measuredBy, stepInProcess } from './step.mjs';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    python: { type: 'string' },
    model: { type: 'string', default: sample },
    torch: { type: 'string', default: path.join(root, '..', 'shared', 'sample') },
    rows: { type: 'string', default: '32' },
    tokens: { type: 'string', default: '64' },
    threads: { type: 'string', multiple: true, default: ['1', '2'] },
    steps: { type: 'string', default: '6' },
  },
});
const [rounds, rows, tokens, steps] = [flags.rounds, flags.rows, flags.tokens, flags.steps].map(Number);
const reference = path.join(root, '..', 'shared', 'reference', 'hopscotch_torch.py');
const torchFile = path.join(root, 'bench', 'gradient-step-torch.py');

const python = [...(flags.python ? [flags.python] : []), '/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import torch']).status === 0,
);
const hasTorch = python !== undefined && existsSync(reference);
if (!hasTorch) {
  const missing = python === undefined ? "Python's torch (Debian: python3-torch)" : '../shared/reference';
  console.log(`PyTorch is not measured: ${missing} is missing.`);
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const range = (values) => `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
const milliseconds = (runs) => `${(median(runs.map((run) => run.seconds)) * 1000).toFixed(0)} ms a step`;
const peak = (runs) => `peak memory ${(median(runs.map((run) => run.peakBytes)) / 1e6).toFixed(0)} MB`;

for (const threads of flags.threads.map(Number)) {
  const ours = [];
  const torch = [];
  for (let round = 0; round < rounds; round += 1) {
    const model = { model: flags.model };
    ours.push(stepInProcess({ model, rows, tokens, scales: 'scalar', steps, threads }));
    const numbers = [threads, rows, tokens, steps].map(String);
    if (hasTorch) torch.push(measuredBy(python, [torchFile, reference, flags.torch, ...numbers]));
  }
  console.log(`${threads} thread${threads === 1 ? '' : 's'}, ${rounds} rounds in turn:`);
  console.log(`  Hopscotch  ${milliseconds(ours)}, ${peak(ours)}; loss ${ours[0].loss.toFixed(5)}`);
  if (!hasTorch) continue;
  const ratios = ours.map((run, round) => run.seconds / torch[round].seconds);
  console.log(`  PyTorch    ${milliseconds(torch)}, ${peak(torch)}; loss ${torch[0].loss.toFixed(5)}`);
  console.log(`  ratio      ${median(ratios).toFixed(2)} (${range(ratios)})`);
}
