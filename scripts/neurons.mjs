/**
 * What 20 % of an MLP's neurons cost a model, by the ways to choose them: held-out loss and divergence on the model's own
 * answers to a task's prompts, before any scale is trained. 'magnitude' is what needs no task: the neurons whose column of
 * the last product is shortest go, in each layer the same share.
 * usage: node scripts/neurons.mjs MODEL DATASET (after npm run build); options: --share 0.2  --rows 64  --heldout 48
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkedSettings } from '../dist/engine/index.js';
import { cutNeurons } from '../dist/engine/cuts/neurons/cut-neurons.js';
import { neuronStatistics } from '../dist/engine/cuts/neurons/neuron-statistics.js';
import { planNeurons } from '../dist/engine/cuts/neurons/plan-neurons.js';
import { heldoutQuality } from '../dist/engine/evaluate/heldout-quality.js';
import { openModel } from '../dist/engine/jobs/parts/source-model.js';
import { prepareTask } from '../dist/engine/jobs/parts/task.js';
import { MemoryPlanner } from '../dist/engine/jobs/parts/memory-plan.js';
import { openForwardModel } from '../dist/engine/loss/forward-model.js';
import { makeLossBatch } from '../dist/engine/loss/loss-batch.js';
import { benchContext, cache } from '../bench/context.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '0.2' },
    rows: { type: 'string', default: '64' },
    heldout: { type: 'string', default: '48' },
  },
});
const [location, dataset] = positionals;
const share = Number(flags.share);
mkdirSync(cache, { recursive: true });
const scratch = mkdtempSync(path.join(cache, 'neurons-'));
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
    responses: 'own',
    calibrationRows: Number(flags.rows),
    heldoutRows: Number(flags.heldout),
  });
  const planner = new MemoryPlanner(undefined, {}, () => {});
  const task = await prepareTask(original, settings, planner, benchContext());
  const batches = (decoder, rows) =>
    chunks(rows, 8).map((part) => makeLossBatch(decoder, part, task.tokenizer.padTokenId));
  const { decoder, source } = original;
  const open = (one) => openForwardModel(one, { skipped: [], granularity: 'scalar' });
  const expected = { model: await open(decoder), scales: new Map() };
  const expectedBatches = batches(decoder, task.heldout);
  const rows = batches(decoder, task.calibration);
  console.log('tokens to choose with', tokensOf(rows), 'held out', tokensOf(expectedBatches));
  const judged = async (one) => {
    const model = await open(one);
    const own = batches(one, task.heldout);
    let loss = 0;
    for (const batch of own) loss += (await model.run(batch, new Map())).loss * batch.labels.length;
    const quality = await heldoutQuality({ model, scales: new Map() }, own, {
      original: expected,
      originalBatches: expectedBatches,
    });
    await model.release();
    return { loss: loss / tokensOf(own), quality };
  };
  const before = await judged(decoder);
  console.log('original loss', before.loss);
  const statistics = await neuronStatistics(decoder, rows);
  const alone = new Map(
    [...statistics].map(([block, own]) => [block, { ...own, squares: own.squares.map(() => 1) }]),
  );
  const refit = { batches: rows };
  const ways = {
    product: { statistics, refit },
    'product, not fitted': { statistics },
    'activation, by layer': { statistics, rule: 'activation', uneven: false },
    'activation, by layer, fitted': { statistics, rule: 'activation', uneven: false, refit },
    taylor: { statistics, rule: 'taylor' },
    magnitude: { statistics: alone, rule: 'activation', uneven: false },
  };
  for (const [name, { statistics: by, refit: fit, ...plan }] of Object.entries(ways)) {
    const kept = planNeurons(decoder, by, { share, ...plan });
    const output = path.join(scratch, name.replaceAll(/\W+/g, '-'));
    const cut = await cutNeurons({ source, decoder, output, kept, ...(fit && { refit: fit }) });
    const { loss, quality } = await judged((await openModel(cut.folder)).decoder);
    const gone = 1 - cut.neuronsAfter / cut.neuronsBefore;
    console.log(name, gone.toFixed(3), 'loss rise', (loss - before.loss).toFixed(4), JSON.stringify(quality));
  }
  await expected.model.release();
}

function tokensOf(batches) {
  return batches.reduce((sum, { labels }) => sum + labels.length, 0);
}

function chunks(rows, size) {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, part) =>
    rows.slice(part * size, (part + 1) * size),
  );
}
