/**
 * Whether a long job's memory grows: slims the sample with many steps of training, and prints the memory of the process
 * that works as the steps go by. `npm run --silent build && node bench/memory-growth.mjs [--steps 500]`, on Linux.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { steps: { type: 'string', default: '500' } } });
/** Rows 0 to 7 in batches of two. */
const STEPS_AN_EPOCH = 4;
const home = mkdtempSync(path.join(os.tmpdir(), 'hopscotch-memory-'));
const sample = path.join(root, 'assets', 'sample');

const job = spawn(
  process.execPath,
  [
    path.join(root, 'dist/cli/main.js'),
    'slim',
    sample,
    path.join(sample, 'tasks/tracking.jsonl'),
    '--responses=file',
    '--strategy=cosine',
    '--budget=2',
    '--train-points=last',
    '--calibration-range=0..7',
    '--heldout-range=400..401',
    '--batch-rows=2',
    '--answer-rows=0',
    '--speed-rounds=0',
    '--threads=1',
    `--epochs=${Math.ceil(Number(values.steps) / STEPS_AN_EPOCH)}`,
  ],
  { env: { ...process.env, HOPSCOTCH_HOME: home }, stdio: 'ignore' },
);
/** Its code; null if it was killed. */
const ended = new Promise((resolve) => job.on('exit', resolve));

process.stdout.write('| steps | resident (MB) |\n| --- | --- |\n');
for (let next = 0; ;) {
  const code = await Promise.race([ended, sleep(100)]);
  if (code !== undefined) {
    process.exitCode = code ?? 1;
    break;
  }
  const steps = stepsSoFar();
  const worker = childOf(job.pid);
  if (steps < next || worker === undefined) continue;
  process.stdout.write(`| ${steps} | ${residentOf(worker)} |\n`);
  next = steps + Number(values.steps) / 10;
}
rmSync(home, { recursive: true, force: true });

function stepsSoFar() {
  const runs = path.join(home, 'runs');
  const [run] = existsSync(runs) ? readdirSync(runs) : [];
  const file = run && path.join(runs, run, 'checkpoint.json');
  if (!file || !existsSync(file)) return -1;
  const [point] = Object.values(JSON.parse(readFileSync(file, 'utf8')).training ?? {});
  return point === undefined ? -1 : (point.epochs.length - 1) * STEPS_AN_EPOCH;
}

function childOf(id) {
  try {
    return readFileSync(`/proc/${id}/task/${id}/children`, 'utf8').split(' ')[0] || undefined;
  } catch {
    return undefined;
  }
}

function residentOf(id) {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]) / 1024);
  } catch {
    return '';
  }
}
