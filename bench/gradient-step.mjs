/**
 * One gradient step of the sample (32 rows x 64 tokens) against the published algorithm in PyTorch: seconds and peak
 * memory, as ratios within one run. Each side runs in a process of its own, in turn, several times.
 * usage: node bench/gradient-step.mjs (after npm run build); options: --rounds N
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const reference = path.join(here, '..', '..', 'shared', 'reference', 'hopscotch_torch.py');
const torchModel = path.join(here, '..', '..', 'shared', 'sample');
const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 5;

const python = ['/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import torch']).status === 0,
);
const hasTorch = python !== undefined && existsSync(reference);
if (!hasTorch) {
  const missing = python === undefined ? "Python's torch (Debian: python3-torch)" : '../shared/reference';
  console.log(`PyTorch is not measured: ${missing} is missing.`);
}

function measure(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${result.stderr}`);
  return JSON.parse(result.stdout.trim().split('\n').at(-1));
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const range = (values) => `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;

for (const threads of [1, 2]) {
  const ours = [];
  const torch = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(measure(process.execPath, [path.join(here, 'gradient-step-hopscotch.mjs'), `${threads}`]));
    if (hasTorch)
      torch.push(
        measure(python, [path.join(here, 'gradient-step-torch.py'), reference, torchModel, `${threads}`]),
      );
  }
  const seconds = ours.map((run) => run.seconds);
  const peak = (runs) => `${(median(runs.map((run) => run.peakBytes)) / 1e6).toFixed(0)} MB`;
  console.log(`${threads} thread${threads === 1 ? '' : 's'}, ${rounds} rounds in turn:`);
  console.log(`  Hopscotch  ${(median(seconds) * 1000).toFixed(0)} ms a step, peak memory ${peak(ours)}`);
  if (!hasTorch) continue;
  const ratios = ours.map((run, round) => run.seconds / torch[round].seconds);
  console.log(
    `  PyTorch    ${(median(torch.map((run) => run.seconds)) * 1000).toFixed(0)} ms a step, peak memory ${peak(torch)}`,
  );
  console.log(
    `  ratio      ${median(ratios).toFixed(2)} (${range(ratios)}); losses ${ours[0].loss.toFixed(5)} and ${torch[0].loss.toFixed(5)}`,
  );
}
