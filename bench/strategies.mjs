/**
 * Quality of ways to choose blocks and to scale the rest, on the sample's tasks: `npm run bench:strategies`.
 * options: --tasks arithmetic,records,tracking  --budget 3  --strategies exhaustive,fast,random,last
 * Rows as in the published figures: 0..255 in file order for calibration, 400..527 held out, answers to 400..499.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Checkpoint } from '../dist/engine/calibrate/checkpoint.js';
import { selectBlocks, selectionStrategy } from '../dist/engine/calibrate/select-blocks.js';
import { defaultTraining, trainScales } from '../dist/engine/calibrate/train-scales.js';
import { generateAnswers, scoreAnswers } from '../dist/engine/evaluate/compare-answers.js';
import { applyWeightEdits, foldScales } from '../dist/engine/export/fold-scales.js';
import { Generator } from '../dist/engine/generate/generator.js';
import { openSourceModel } from '../dist/engine/open-source-model.js';
import { prepareTask } from '../dist/engine/prepare-task.js';
import { slimSettingsSchema } from '../dist/engine/settings.js';
import { taskBatches } from '../dist/engine/task-batches.js';
import * as v from 'valibot';

const { values: flags } = parseArgs({
  options: {
    tasks: { type: 'string', default: 'arithmetic,records,tracking' },
    budget: { type: 'string', default: '3' },
    strategies: { type: 'string', default: 'exhaustive,fast,random,last' },
    seed: { type: 'string', default: '0' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const sample = path.join(root, 'assets', 'sample');
const model = await openSourceModel(sample);
const seed = Number(flags.seed);

for (const name of flags.tasks.split(',')) {
  const settings = v.parse(slimSettingsSchema, {
    model: sample,
    dataset: path.join(sample, 'tasks', `${name}.jsonl`),
    responses: 'file',
    order: 'file',
    calibrationRange: { first: 0, last: 255 },
    heldoutRange: { first: 400, last: 527 },
  });
  const task = await prepareTask(model, settings, {
    cacheFolder: path.join(root, '.cache', 'bench'),
    session: {},
  });
  const { calibration, smallBatches, heldout } = taskBatches(model, task, settings);
  const context = { decoder: model.decoder, session: {}, signal: undefined };
  console.log(`\n${name}: 256 calibration rows, 128 held-out rows, 100 answers; seed ${seed}`);
  console.log('strategy    scales          blocks               held-out loss  exact match  passes  seconds');

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
  const row = (strategy, scales, blocks, loss, matches, passes, seconds) =>
    console.log(
      [
        strategy.padEnd(11),
        scales.padEnd(15),
        blocks.padEnd(20),
        (loss?.toFixed(4) ?? '').padStart(13),
        `${matches}`.padStart(12),
        `${passes}`.padStart(7),
        seconds.toFixed(0).padStart(8),
      ].join(' '),
    );
  row('original', '', '', undefined, await exactMatches(model.decoder), 0, 0);

  for (const strategyName of flags.strategies.split(',')) {
    let passes = 0;
    const onWork = (forwardPasses) => (passes += forwardPasses);
    let started = performance.now();
    const elapsed = () => (performance.now() - started) / 1000;
    const skipped = await selectBlocks(
      {
        ...context,
        batches: calibration,
        smallBatches,
        seed,
        learningRate: settings.selectionLearningRate,
        onWork,
      },
      { strategy: selectionStrategy(strategyName), kinds: ['attention'], budget: Number(flags.budget) },
      Checkpoint.inMemory(),
      () => {},
    );
    const blocks = skipped.map((block) => block.replace('attention ', '')).join(', ');
    row(
      strategyName,
      'none',
      blocks,
      undefined,
      await exactMatches(applyWeightEdits(foldScales(model.decoder, skipped, new Map()))),
      passes,
      elapsed(),
    );
    const granularities = ['random', 'last'].includes(strategyName)
      ? ['scalar']
      : ['scalar', 'channel', 'channel+offset'];
    for (const granularity of granularities) {
      passes = 0;
      started = performance.now();
      const trained = await trainScales(
        { ...context, batches: calibration, heldout, onWork },
        skipped,
        defaultTraining(granularity),
        Checkpoint.inMemory(),
        () => {},
      );
      const seconds = elapsed();
      const folded = applyWeightEdits(foldScales(model.decoder, skipped, trained.scales));
      row('', granularity, '', trained.heldoutLoss, await exactMatches(folded), passes, seconds);
      if (granularity === 'scalar')
        console.log(
          `            (held-out loss without scales: ${trained.epochs[0].heldoutLoss.toFixed(4)})`,
        );
    }
  }
}
