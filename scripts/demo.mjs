/**
 * Slims the sample model for one of its tasks and prints the before/after table: `npm run demo`, or
 * `npm run demo -- arithmetic` for another task (arithmetic, records, tracking).
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const task = process.argv[2] ?? 'records';
const output = path.join(root, 'slimmed', `sample-${task}`);
rmSync(output, { recursive: true, force: true });

const started = performance.now();
const result = spawnSync(
  process.execPath,
  [
    path.join(root, 'dist', 'cli', 'main.js'),
    'slim',
    path.join(root, 'assets', 'sample'),
    path.join(root, 'assets', 'sample', 'tasks', `${task}.jsonl`),
    '--budget=3',
    '--train-points=last',
    `--output=${output}`,
  ],
  { stdio: 'inherit', env: { ...process.env, HOPSCOTCH_HOME: path.join(root, '.cache', 'demo') } },
);
if (result.status === 0) {
  console.log(`It took ${Math.round((performance.now() - started) / 1000)} s. Ask both models something:`);
  console.log(`  npm start -- compare assets/sample slimmed/sample-${task} --prompt "..."`);
}
process.exitCode = result.status ?? 1;
