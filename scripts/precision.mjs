/**
 * What 4 bits cost a model, by the ways to round: mean divergence from the float model's distributions on held-out rows of a
 * task with the file's answers, and how often the most likely token is the same. Other programs' 4-bit files of the same
 * model can be given, to be judged on the same rows.
 * usage: node scripts/precision.mjs FLOAT_MODEL DATASET [NAME=MODEL.onnx ...] (after npm run build);
 * options: --rows 64 (to round with)  --heldout 32
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { changePrecision } from '../dist/engine/cuts/precision/change-precision.js';
import { gatherSensitivities } from '../dist/engine/cuts/precision/sensitivities.js';
import { openModel } from '../dist/engine/jobs/parts/source-model.js';
import { judgedTask, withScratch } from './judged-task.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '64' }, heldout: { type: 'string', default: '32' } },
});
const [location, dataset, ...others] = positionals;
const runOptions = { threads: 1 };

await withScratch('precision', async (scratch) => {
  const task = await judgedTask(location, dataset, { responses: 'file', ...flags }, runOptions);
  const { source, decoder } = task.original;
  const judge = async (name, file) => {
    const other = await openModel(path.resolve(file));
    console.log(name, other.source.modelFile, JSON.stringify(await task.judge(other.decoder)));
  };
  const made = async (name, sensitivities) => {
    const request = { source, decoder, precision: 'q4', runOptions, sensitivities };
    const changed = await changePrecision({ ...request, output: path.join(scratch, name) });
    console.log(name, changed.bytesAfter, 'bytes', `${process.cpuUsage().user / 1e6} s so far`);
    await judge(name, changed.folder);
  };
  await made('with-activations', await gatherSensitivities(decoder, task.calibration, { runOptions }));
  for (const other of others) await judge(...other.split('='));
  await made('each-weight', undefined);
  await task.release();
});
