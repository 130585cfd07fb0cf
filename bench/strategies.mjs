/**
 * Quality and cost of ways to choose blocks, on the sample's tasks: `npm run bench:strategies`.
 * options: --tasks arithmetic,records,tracking,stories
 *          --strategies exhaustive,fast,cosine,block-influence,last,random
 *          --budgets 1,2,3,4,5,6  --blocks attention|both  --scales scalar,channel+gain  --seed 0
 *          --keep-searches (blocks as in the measured points; only the scales are trained anew)
 * Each measured point replaces the one that docs/benchmarks.json has, from which docs/benchmarks.md and its plots are
 * written: a part can be measured again without the rest. Rows as in the published figures: 0..255 in file order for
 * calibration, 400..527 held out, answers to 400..499. The task 'stories' is stories260K in ../shared going on with
 * stories, cut at 128 tokens: the accuracy of the next token stands in the place of exact matches.
 */
import { jobSettings } from '../dist/schema/settings.js';
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { unsavedCheckpoint } from '../dist/engine/calibrate/checkpoint.js';
import { withoutOffsets } from '../dist/engine/decoder/scales.js';
import { selectBlocks, selectionStrategy } from '../dist/engine/calibrate/select/select-blocks.js';
import { defaultTraining, trainScales } from '../dist/engine/calibrate/train/train-scales.js';
import { openForwardModel } from '../dist/engine/loss/forward-model.js';
import { generateAnswers, scoreAnswers } from '../dist/engine/evaluate/compare-answers.js';
import { heldoutQuality } from '../dist/engine/evaluate/heldout-quality.js';
import { applyWeightEdits, foldScales } from '../dist/engine/export/fold-scales.js';
import { Generator } from '../dist/engine/generate/generator.js';
import { openModel } from '../dist/engine/jobs/parts/source-model.js';
import { prepareTask } from '../dist/engine/jobs/parts/task.js';
import { blockKinds } from '../dist/engine/jobs/parts/settings.js';
import { taskBatches } from '../dist/engine/jobs/parts/batches.js';
import { keepPoint, savedSearch, writeReport } from './strategies-report.mjs';

const { values: flags } = parseArgs({
  options: {
    tasks: { type: 'string', default: 'arithmetic,records,tracking,stories' },
    strategies: { type: 'string', default: 'exhaustive,fast,cosine,block-influence,last,random' },
    budgets: { type: 'string', default: '1,2,3,4,5,6' },
    blocks: { type: 'string', default: 'attention' },
    scales: { type: 'string', default: 'channel+gain' },
    seed: { type: 'string', default: '0' },
    'keep-searches': { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const sample = path.join(root, 'assets', 'sample');
const storiesFiles = path.join(root, '..', 'shared', 'models', 'stories260K');
const stories = {
  dataset: path.join(root, '..', 'shared', 'data', 'tinystories', 'tinystories_sample_2MiB.txt'),
  overlong: 'cut',
  maxTokens: 128,
};
const budgets = flags.budgets.split(',').map(Number);

for (const task of flags.tasks.split(',')) {
  if (task === 'stories' && !existsSync(storiesFiles)) {
    console.log('stories is not measured: ../shared/models/stories260K is missing.');
    continue;
  }
  const measure = await openTask(task);
  keepPoint({ task, strategy: 'original', blocks: '', budget: 0, scales: '', ...(await measure.original()) });
  for (const strategy of flags.strategies.split(',')) {
    const saved = flags['keep-searches'] ? savedSearch(task, strategy, flags.blocks) : [];
    const rounds = saved.length >= Math.max(...budgets) ? saved : await measure.select(strategy);
    for (const scales of flags.scales.split(',')) {
      for (const budget of budgets.filter((count) => count <= rounds.length)) {
        const skipped = rounds.slice(0, budget).map(({ block }) => block);
        const { passes, seconds } = rounds[budget - 1];
        const point = { task, strategy, blocks: flags.blocks, budget, scales, skipped, passes, seconds };
        const quality = await measure.train(skipped, scales);
        keepPoint({ ...point, ...quality });
        console.log(
          `${task} ${strategy} ${budget}: ${skipped.join(', ')} (${passes} passes, ${seconds.toFixed(0)} s); ` +
            `${scales}: held-out loss ${quality.loss.toFixed(4)}, ` +
            (quality.matches === undefined
              ? `next-token accuracy ${quality.accuracy.value.toFixed(3)}`
              : `exact match ${quality.matches}`),
        );
      }
    }
  }
  await writeReport();
}

/** The model and what belongs to it in one folder. */
async function storiesFolder() {
  const folder = path.join(root, '.cache', 'bench', 'stories260K');
  await cp(path.join(storiesFiles, 'hf'), folder, { recursive: true });
  await cp(path.join(storiesFiles, 'stories260K.onnx'), path.join(folder, 'model.onnx'));
  return folder;
}

async function openTask(name) {
  const settings = v.parse(jobSettings, {
    ...(name === 'stories'
      ? { ...stories, model: await storiesFolder() }
      : { model: sample, dataset: path.join(sample, 'tasks', `${name}.jsonl`) }),
    blocks: flags.blocks,
    responses: 'file',
    order: 'file',
    calibrationRange: { first: 0, last: 255 },
    heldoutRange: { first: 400, last: 527 },
    seed: Number(flags.seed),
  });
  const model = await openModel(settings.model);
  const cacheFolder = path.join(root, '.cache', 'bench');
  const task = await prepareTask(model, settings, { cacheFolder, session: {} });
  const batchesFor = (scales) => taskBatches(model, task, { ...settings, scales });
  const context = { decoder: model.decoder, session: {}, signal: undefined };

  const exactMatches = async (decoder) => {
    const generator = await Generator.open(decoder);
    const prompts = task.prompts.slice(0, 100);
    const answers = await generateAnswers(
      generator,
      prompts,
      { maxNewTokens: 80, stopTokens: task.stopTokens },
      (tokens) => task.tokenizer.decode(tokens, { skipSpecialTokens: true }),
    );
    await generator.release();
    return Math.round(scoreAnswers(answers, prompts).exactMatch.value * prompts.length);
  };

  const nextTokens = async (skipped, scales, granularity) => {
    const forward = await openForwardModel(model.decoder, { skipped, granularity });
    const { tokenAccuracy } = await heldoutQuality({ model: forward, scales }, batchesFor('scalar').heldout);
    await forward.release();
    return tokenAccuracy;
  };

  const score = async (skipped, scales, granularity = 'scalar') =>
    name === 'stories'
      ? { accuracy: await nextTokens(skipped, scales, granularity) }
      : { matches: await exactMatches(applyWeightEdits(foldScales(model.decoder, skipped, scales))) };

  return {
    original: async () => {
      const trained = await train([], 'scalar', 1);
      return { loss: trained.epochs[0].heldoutLoss, ...(await score([], new Map())) };
    },
    /** The blocks in the order chosen, each with the passes and seconds of the search up to it. */
    select: async (strategyName) => {
      const rounds = [];
      let passes = 0;
      const started = performance.now();
      const { calibration, smallBatches } = batchesFor('channel+gain');
      await selectBlocks(
        {
          ...context,
          batches: calibration,
          smallBatches,
          granularity: withoutOffsets(settings.scales),
          seed: settings.seed,
          learningRate: settings.selectionLearningRate,
          onWork: (forwardPasses) => (passes += forwardPasses),
        },
        {
          strategy: selectionStrategy(strategyName),
          kinds: blockKinds(settings),
          budget: Math.max(...budgets),
        },
        unsavedCheckpoint(),
        (event) => {
          if (event.type !== 'block-chosen') return;
          rounds.push({ block: event.block, passes, seconds: (performance.now() - started) / 1000 });
        },
      );
      return rounds;
    },
    train: async (skipped, scales) => {
      const trained = await train(skipped, scales);
      return {
        lossWithoutScales: trained.epochs[0].heldoutLoss,
        loss: trained.heldoutLoss,
        ...(await score(skipped, trained.scales, scales)),
      };
    },
  };

  async function train(skipped, scales, epochs) {
    const { training, heldout } = batchesFor(scales);
    return await trainScales(
      { ...context, batches: training, heldout, onWork: () => {} },
      skipped,
      { ...defaultTraining(scales), ...(epochs === undefined ? {} : { epochs }) },
      unsavedCheckpoint(),
      () => {},
    );
  }
}
