/**
 * What 4 bits cost a model, by the ways to round: mean divergence from the float model's distributions on held-out rows of a
 * task with the file's answers, and how often the most likely token is the same. Other programs' 4-bit files of the same
 * model can be given, to be judged on the same rows.
 * usage: node scripts/precision.mjs FLOAT_MODEL DATASET [NAME=MODEL.onnx ...] (after npm run build);
 * options: --rows 64 (to round with)  --heldout 32
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkedSettings } from '../dist/engine/index.js';
import { changePrecision } from '../dist/engine/cuts/precision/change-precision.js';
import { gatherSensitivities } from '../dist/engine/cuts/precision/sensitivities.js';
import { heldoutQuality } from '../dist/engine/evaluate/heldout-quality.js';
import { openModel } from '../dist/engine/jobs/parts/source-model.js';
import { prepareTask } from '../dist/engine/jobs/parts/task.js';
import { openForwardModel } from '../dist/engine/loss/forward-model.js';
import { makeLossBatch } from '../dist/engine/loss/loss-batch.js';
import { benchContext, cache } from '../bench/context.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string', default: '64' }, heldout: { type: 'string', default: '32' } },
});
const [location, dataset, ...others] = positionals;
const runOptions = { threads: 1 };
mkdirSync(cache, { recursive: true });
const scratch = mkdtempSync(path.join(cache, 'precision-'));
try {
  await compare();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function compare() {
  const original = await openModel(location);
  const settings = checkedSettings({
    model: location,
    dataset,
    responses: 'file',
    calibrationRows: Number(flags.rows),
    heldoutRows: Number(flags.heldout),
  });
  const task = await prepareTask(original, settings, undefined, benchContext());
  const batches = (decoder, rows) =>
    chunks(rows, 8).map((part) => makeLossBatch(decoder, part, task.tokenizer.padTokenId));
  const expected = { model: await openForward(original.decoder), scales: new Map() };
  const expectedBatches = batches(original.decoder, task.heldout);
  const judge = async (name, file) => {
    const { decoder, source } = await openModel(path.resolve(file));
    const model = await openForward(decoder);
    const quality = await heldoutQuality({ model, scales: new Map() }, batches(decoder, task.heldout), {
      original: expected,
      originalBatches: expectedBatches,
    });
    await model.release();
    console.log(name, source.modelFile, JSON.stringify(quality));
  };
  const { source, decoder } = original;
  const request = { source, decoder, precision: 'q4', runOptions };
  const made = async (name, sensitivities) => {
    const changed = await changePrecision({ ...request, output: path.join(scratch, name), sensitivities });
    console.log(name, changed.bytesAfter, 'bytes', `${process.cpuUsage().user / 1e6} s so far`);
    await judge(name, changed.folder);
  };
  const sensitivities = await gatherSensitivities(decoder, batches(decoder, task.calibration), {
    runOptions,
  });
  await made('with-activations', sensitivities);
  for (const other of others) await judge(...other.split('='));
  await made('each-weight', undefined);
  await expected.model.release();
}

async function openForward(decoder) {
  return await openForwardModel(decoder, { skipped: [], granularity: 'scalar', runOptions });
}

function chunks(rows, size) {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, part) =>
    rows.slice(part * size, (part + 1) * size),
  );
}
