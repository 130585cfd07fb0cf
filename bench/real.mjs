/**
 * Choices of blocks on real models: `npm run bench:real -- FOLDER` with the folder of ../shared/tools/real-models, or on
 * the sample (--models sample --tasks arithmetic,records,tracking; no FOLDER).
 * options: --models smollm2-optimum  --tasks chat,past,facts,restaurants
 *          --strategies contest,fast,cosine,greedy,block-influence,random
 *          --kinds attention  --shares 0.25 (of the blocks of these kinds)  --seeds 0 (draws of rows)  --calibration-tokens 4000
 *          --heldout-tokens 4000  --epochs 2  --threads 1 (where several of these run side by side; default: all)
 * Every strategy gets the same rows and the same training. Each cell is a job in a process of its own, minutes long on a
 * real model, and is kept in docs/real-choices.json as soon as it is done, in the place of what was measured before; docs/benchmarks.md
 * is written anew from it. What is there already is left out unless --again is given.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { writeReport } from './strategies-report.mjs';
import { sample } from './context.mjs';
import { SAMPLE, isKept, keepCell } from './real-report.mjs';

/** Whose answers are learnt. */
const RESPONSES = { chat: 'own' };

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    models: { type: 'string', default: 'smollm2-optimum' },
    tasks: { type: 'string', default: 'chat,past,facts,restaurants' },
    strategies: { type: 'string', default: 'contest,fast,cosine,greedy,block-influence,random' },
    kinds: { type: 'string', default: 'attention' },
    shares: { type: 'string', default: '0.25' },
    seeds: { type: 'string', default: '0' },
    'calibration-tokens': { type: 'string', default: '4000' },
    'heldout-tokens': { type: 'string', default: '4000' },
    epochs: { type: 'string', default: '2' },
    threads: { type: 'string' },
    again: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (!folder && flags.models !== SAMPLE)
  throw new Error('usage: node bench/real.mjs FOLDER_OF_REAL_MODELS [options]');
const list = (name) => flags[name].split(',');

for (const model of list('models'))
  for (const task of list('tasks'))
    for (const kind of list('kinds'))
      for (const share of list('shares').map(Number))
        for (const seed of list('seeds').map(Number))
          for (const strategy of list('strategies'))
            await measure({ model, task, kind, share, seed, strategy });

async function measure(cell) {
  const counts = {
    calibrationTokens: Number(flags['calibration-tokens']),
    heldoutTokens: Number(flags['heldout-tokens']),
    epochs: Number(flags.epochs),
  };
  if (!flags.again && isKept({ ...cell, ...counts })) return;
  const modelFolder = cell.model === SAMPLE ? sample : path.join(folder, cell.model);
  const request = {
    ...cell,
    ...counts,
    ...(flags.threads === undefined ? {} : { threads: Number(flags.threads) }),
    responses: RESPONSES[cell.task] ?? 'file',
    modelFolder,
    dataset: path.join(cell.model === SAMPLE ? sample : folder, 'tasks', `${cell.task}.jsonl`),
  };
  const job = path.join(import.meta.dirname, 'real-job.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [job, JSON.stringify(request)]);
  const figures = JSON.parse(stdout);
  keepCell({ ...cell, ...counts, responses: request.responses, ...figures });
  await writeReport();
  console.log(
    `${Object.values(cell).join(' ')}: ${figures.skipped.join(', ')}; ${figures.measure} ` +
      `${figures.before.value.toFixed(4)} -> ${figures.after.value.toFixed(4)}, ${figures.processorSeconds.toFixed(0)} s of processor`,
  );
}
