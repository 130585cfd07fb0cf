/**
 * Times gradient steps in a process of its own, so that its peak memory is its own; prints the figures as JSON.
 * usage: node bench/step.mjs REQUEST, as JSON: that of the job measureStep, with numbers of rows and of tokens a row (default:
 * 64), and threads
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

/** Figures of a step in a new process. @param request model, rows (how many), tokens, scales, segments, steps, threads */
export function stepInProcess(request) {
  return measuredBy(process.execPath, [file, JSON.stringify(request)]);
}

/** The same tokens as in gradient-step-torch.py, a response from the middle on. */
function madeRows(count, tokens) {
  return Array.from({ length: count }, (_, row) => ({
    ids: Array.from({ length: tokens + 1 }, (__, token) => 5 + ((row * 131 + token * 71) % 671)),
    responseStart: tokens >> 1,
  }));
}

if (process.argv[1] === file) {
  const { rows, tokens = 64, threads, ...request } = JSON.parse(process.argv[2]);
  const context = benchContext({ device: { provider: 'cpu', threads } });
  console.log(JSON.stringify(await measureStep({ ...request, rows: madeRows(rows, tokens) }, context)));
}
