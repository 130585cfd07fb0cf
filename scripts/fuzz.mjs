/**
 * Damages each kind of input that Hopscotch reads and looks what it does with it:
 * `npm run fuzz -- --minutes 2 --seed 7 [--kind 'ONNX bytes'] [--workers 2] [--cases 20000]`.
 * Prints a table. Ends with 1 if anything hung, crashed, left a promise that nobody waits for, or was refused as a fault of
 * ours or in the wrong words; the inputs that did are kept in test/fuzz/found, where a test takes them up.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle-fuzz.mjs';

const root = path.resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    cases: { type: 'string', default: '1000000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kind: { type: 'string', multiple: true },
    workers: { type: 'string', default: String(Math.min(4, os.availableParallelism())) },
    keep: { type: 'string', default: path.join(root, 'test/fuzz/found') },
  },
});

/** Seconds that a case may take, the limits of the parsers themselves (15 s, 5 s and 3 s) among them. */
const CASE_SECONDS = 60;
const MEMORY_MB = 3072;
/** Of a machine that has much else to do, as well; they count where they come twice. */
const TWICE = new Set(['hang', 'crash']);
const BAD = ['badly worded', 'internal error', 'unhandled rejection', 'hang', 'crash'];
const COLUMNS = ['read', 'refused', ...BAD];

const program = await bundle(root);
const scratch = mkdtempSync(path.join(os.tmpdir(), 'hopscotch-fuzz-'));
const end = performance.now() + Number(values.minutes) * 60_000;
const table = new Map();
const found = new Map();
let kinds;
let next = 0;

process.stdout.write(`seed ${values.seed}\n`);
await Promise.all(Array.from({ length: Number(values.workers) }, (_, index) => work(index)));
rmSync(scratch, { recursive: true, force: true });
printTable();
const isClean = [...table.values()].every((row) => BAD.every((sort) => (row[sort] ?? 0) === 0));
process.exitCode = isClean ? 0 : 1;

/** One process after another, each until a case ends it. */
async function work(index) {
  const folder = path.join(scratch, String(index));
  let worker;
  while (performance.now() < end && next < Number(values.cases)) {
    worker ??= await start();
    kinds ??= worker.kinds.filter((name) => values.kind === undefined || values.kind.includes(name));
    const number = next++;
    const kind = kinds[number % kinds.length];
    const seed = `${values.seed}/${Math.floor(number / kinds.length)}`;
    let outcome = await worker.ask({ kind, seed, folder });
    if (TWICE.has(outcome.is)) {
      worker.end();
      worker = await start();
      outcome = await worker.ask({ kind, seed, folder });
    }
    count(kind, outcome, seed, folder);
    if (!worker.isAlive) worker = undefined;
  }
  worker?.end();
}

async function start() {
  const child = fork(program, [], {
    execArgv: [`--max-old-space-size=${MEMORY_MB}`],
    env: { ...process.env, HOPSCOTCH_ROOT: root, ORT_DISABLE_TELEMETRY: '1', TMPDIR: scratch },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const worker = { isAlive: true, end: () => child.kill('SIGKILL') };
  let answer = () => {};
  child.on('message', (message) => answer(message));
  child.on('exit', (code, signal) => {
    worker.isAlive = false;
    answer({ is: 'crash', message: `ended with ${code ?? signal}` });
  });
  worker.kinds = await new Promise((resolve) => (answer = (message) => resolve(message.kinds)));
  worker.ask = (question) =>
    new Promise((resolve) => {
      const timer = setTimeout(
        () => answer({ is: 'hang', message: `no end within ${CASE_SECONDS} s` }),
        CASE_SECONDS * 1000,
      );
      answer = (outcome) => {
        if (outcome.is === 'written') return;
        clearTimeout(timer);
        answer = () => {};
        if (outcome.is === 'hang' || outcome.is === 'unhandled rejection') {
          worker.isAlive = false;
          child.kill('SIGKILL');
        }
        resolve(outcome);
      };
      child.send(question);
    });
  return worker;
}

function count(kind, { is, message }, seed, folder) {
  const row = table.get(kind) ?? {};
  table.set(kind, row);
  row[is] = (row[is] ?? 0) + 1;
  if (!BAD.includes(is)) return;
  // One of each: the same place in the code, or the same words.
  const place = /\n\s+at (.*)/.exec(message)?.[1]?.replace(/:\d+:\d+\)?$/, '') ?? '';
  const sort = `${kind}: ${is}: ${message.split('\n')[0].replaceAll(/'[^']*'|\d+|\/\S+/g, '_')} ${place}`;
  if (found.has(sort)) return;
  found.set(sort, true);
  const name = `${kind.replaceAll(/\W+/g, '-')}-${createHash('sha256').update(sort).digest('hex').slice(0, 8)}`;
  process.stdout.write(
    `${kind}, seed ${seed}: ${is}: ${message.split('\n').slice(0, 4).join(' ')}\n  kept as ${name}\n`,
  );
  const target = path.join(values.keep, name);
  if (existsSync(folder) && !existsSync(target)) {
    mkdirSync(values.keep, { recursive: true });
    cpSync(folder, target, {
      recursive: true,
      filter: (file) => !/\/(runs|cache)$/.test(file) || kind === 'run files',
    });
  }
}

function printTable() {
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  process.stdout.write(
    `\nseed ${values.seed}\n\n${line(['input', 'cases', ...COLUMNS])}${line(Array(COLUMNS.length + 2).fill('---'))}`,
  );
  const sums = {};
  for (const [kind, row] of [...table].toSorted(([a], [b]) => a.localeCompare(b))) {
    process.stdout.write(line([kind, sum(row), ...COLUMNS.map((column) => row[column] ?? 0)]));
    for (const column of COLUMNS) sums[column] = (sums[column] ?? 0) + (row[column] ?? 0);
  }
  process.stdout.write(line(['all', sum(sums), ...COLUMNS.map((column) => sums[column] ?? 0)]));
}

function sum(row) {
  return Object.values(row).reduce((total, value) => total + value, 0);
}
