/**
 * What 20 % of an MLP's neurons cost a model, by the ways to choose them: held-out loss and divergence on the model's own
 * answers to a task's prompts, before any scale is trained. 'magnitude' is what needs no task: the neurons whose column of
 * the last product is shortest go, in each layer the same share.
 * usage: node scripts/neurons.mjs MODEL DATASET (after npm run build); options: --share 0.2  --rows 64  --heldout 48
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cutNeurons } from '../dist/engine/cuts/neurons/cut-neurons.js';
import { neuronStatistics } from '../dist/engine/cuts/neurons/neuron-statistics.js';
import { planNeurons } from '../dist/engine/cuts/neurons/plan-neurons.js';
import { openModel } from '../dist/engine/jobs/parts/source-model.js';
import { judgedTask, withScratch } from './judged-task.mjs';

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

await withScratch('neurons', async (scratch) => {
  const task = await judgedTask(location, dataset, { responses: 'own', ...flags });
  const { source, decoder } = task.original;
  const rows = task.calibration;
  const before = await task.judge(decoder);
  const tokens = rows.reduce((sum, { labels }) => sum + labels.length, 0);
  console.log('tokens to choose with', tokens, 'held out', before.tokens, 'loss', before.loss.value);
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
    const quality = await task.judge((await openModel(cut.folder)).decoder);
    const gone = 1 - cut.neuronsAfter / cut.neuronsBefore;
    const rise = quality.loss.value - before.loss.value;
    console.log(name, gone.toFixed(3), 'loss rise', rise.toFixed(4), JSON.stringify(quality));
  }
  await task.release();
});
