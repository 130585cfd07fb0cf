/** What scripts that compare ways to cut a model share: a task's rows, and figures of a model on the held-out ones. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { checkedSettings } from '../dist/engine/index.js';
import { heldoutQuality } from '../dist/engine/evaluate/heldout-quality.js';
import { openModel } from '../dist/engine/jobs/parts/source-model.js';
import { prepareTask } from '../dist/engine/jobs/parts/task.js';
import { MemoryPlanner } from '../dist/engine/jobs/parts/memory-plan.js';
import { openForwardModel } from '../dist/engine/loss/forward-model.js';
import { makeLossBatch } from '../dist/engine/loss/loss-batch.js';
import { benchContext, cache } from '../bench/context.mjs';

/** Does work with an empty folder that is removed afterwards. */
export async function withScratch(name, work) {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, `${name}-`));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param rows { responses, rows (to choose with), heldout }
 * @returns the original, batches of the rows to choose with, and `judge`, which gives a model's figures on the held-out rows
 */
export async function judgedTask(model, dataset, { responses, rows, heldout }, runOptions = {}) {
  const original = await openModel(model);
  const counts = { calibrationRows: Number(rows), heldoutRows: Number(heldout) };
  const settings = checkedSettings({ model, dataset, responses, ...counts });
  const planner = new MemoryPlanner(undefined, runOptions, () => {});
  const task = await prepareTask(original, settings, planner, benchContext());
  const batches = (decoder, part) =>
    chunks(part, 8).map((chunk) => makeLossBatch(decoder, chunk, task.tokenizer.padTokenId));
  const open = (decoder) => openForwardModel(decoder, { skipped: [], granularity: 'scalar', runOptions });
  const expected = { model: await open(original.decoder), scales: new Map() };
  const originalBatches = batches(original.decoder, task.heldout);
  return {
    original,
    calibration: batches(original.decoder, task.calibration),
    async judge(decoder) {
      const opened = await open(decoder);
      const options = { original: expected, originalBatches };
      const scaled = { model: opened, scales: new Map() };
      const quality = await heldoutQuality(scaled, batches(decoder, task.heldout), options);
      await opened.release();
      return quality;
    },
    release: () => expected.model.release(),
  };
}

function chunks(rows, size) {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, part) =>
    rows.slice(part * size, (part + 1) * size),
  );
}
