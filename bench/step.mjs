/**
 * Times gradient steps in a process of its own, so that its peak memory is its own; prints the figures as JSON.
 * usage: node bench/step.mjs REQUEST, as JSON: that of the job measureStep, with a number of rows, and threads
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { measureStep } from '../dist/engine/index.js';
import { benchContext } from './context.mjs';

const file = fileURLToPath(import.meta.url);

/** The last line of what a process prints, as JSON. */
export function measuredBy(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${result.stderr}`);
  return JSON.parse(result.stdout.trim().split('\n').at(-1));
}

/** Figures of a step in a new process. @param request model, rows (how many), scales, segments, steps, threads */
export function stepInProcess(request) {
  return measuredBy(process.execPath, [file, JSON.stringify(request)]);
}

/** The same tokens as in gradient-step-torch.py: 64 positions, a response from position 32 on. */
function madeRows(count) {
  return Array.from({ length: count }, (_, row) => ({
    ids: Array.from({ length: 65 }, (__, token) => 5 + ((row * 131 + token * 71) % 671)),
    responseStart: 32,
  }));
}

if (process.argv[1] === file) {
  const { rows, threads, ...request } = JSON.parse(process.argv[2]);
  const context = benchContext({ device: { provider: 'cpu', threads } });
  console.log(JSON.stringify(await measureStep({ ...request, rows: madeRows(rows) }, context)));
}
