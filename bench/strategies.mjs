/**
 * Quality and cost of ways to choose blocks, on the sample's tasks: `npm run bench:strategies`.
 * options: --tasks arithmetic,records,tracking,stories
 *          --strategies exhaustive,fast,cosine,block-influence,last,random
 *          --budgets 1,2,3,4,5,6  --kind attention|mlp|both  --scales channel+gain,scalar  --seed 0
 * Each measured point replaces the one that docs/benchmarks.json has, from which docs/benchmarks.md and its plots are
 * written: a part can be measured again without the rest. Rows as in the published figures: 0..255 in file order for
 * calibration, 400..527 held out, answers to 400..499. The task 'stories' is stories260K in ../shared going on with
 * stories, cut at 128 tokens: the accuracy of the next token stands in the place of exact matches.
 */
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkedSettings, compareHeldout, describeModel, slim } from '../dist/engine/index.js';
import { benchContext, cache, root, sample } from './context.mjs';
import { SearchWatch } from './search-watch.mjs';
import { keepPoint, writeReport } from './strategies-report.mjs';

const { values: flags } = parseArgs({
  options: {
    tasks: { type: 'string', default: 'arithmetic,records,tracking,stories' },
    strategies: { type: 'string', default: 'exhaustive,fast,cosine,block-influence,last,random' },
    budgets: { type: 'string', default: '1,2,3,4,5,6' },
    kind: { type: 'string', default: 'attention' },
    scales: { type: 'string', default: 'channel+gain' },
    seed: { type: 'string', default: '0' },
  },
});
const { kind } = flags;
const storiesFiles = path.join(root, '..', 'shared', 'models', 'stories260K');
const watch = new SearchWatch();
const context = benchContext({ on: (event) => watch.see(event) });

try {
  for (const task of flags.tasks.split(',')) {
    if (task === 'stories' && !existsSync(storiesFiles)) {
      console.log('stories is not measured: ../shared/models/stories260K is missing.');
      continue;
    }
    const source = await taskFiles(task);
    for (const strategy of flags.strategies.split(',')) {
      for (const scales of flags.scales.split(',')) await measure({ task, strategy, kind, scales }, source);
    }
    await writeReport();
  }
} finally {
  await context.kept.release();
}

/** One job, and a point for each of the budgets that the model has room for. @param way keys of the points */
async function measure(way, source) {
  const largest = await largestBudget(source.model);
  const budgets = flags.budgets
    .split(',')
    .map(Number)
    .filter((budget) => budget <= largest);
  if (budgets.length === 0) return;
  const run = context.store.create(
    checkedSettings({
      ...source,
      kind,
      strategy: way.strategy,
      scales: way.scales,
      budget: { kind: 'blocks', blocks: Math.max(...budgets) },
      trainPoints: 'all',
      responses: 'file',
      order: 'file',
      calibrationRange: { first: 0, last: 255 },
      heldoutRange: { first: 400, last: 527 },
      answerRows: 100,
      maxNewTokens: 80,
      speedRounds: 0,
      seed: Number(flags.seed),
    }),
  );
  try {
    const { report } = await slim({ run }, context);
    const { rounds } = watch;
    for (const blocks of budgets) {
      const { figures } = await compareHeldout({ run: run.id, blocks }, context);
      keepOriginal(way.task, report, figures);
      const { skipped, withoutScales, withScales } = report.points.find(
        (point) => point.skipped.length === blocks,
      );
      const point = {
        ...way,
        blocks,
        skipped,
        ...rounds[blocks - 1],
        lossWithoutScales: withoutScales.loss.value,
        ...qualityOf(withScales, figures?.slimmed),
      };
      keepPoint(point);
      tell(point);
    }
  } finally {
    context.store.delete(run);
  }
}

function keepOriginal(task, { original }, figures) {
  const key = { task, strategy: 'original', kind: '', blocks: 0, scales: '' };
  keepPoint({ ...key, ...qualityOf(original, figures?.original) });
}

/** The held-out loss, and the share of exact matches, or where a task has no answers the accuracy of the next token. */
function qualityOf({ loss, tokenAccuracy }, answers) {
  const share = answers ? { exactMatch: answers.exactMatch } : { accuracy: tokenAccuracy };
  return { loss: loss.value, ...share };
}

function tell({ task, strategy, blocks, skipped, passes, seconds, scales, loss, exactMatch, accuracy }) {
  const quality = exactMatch
    ? `exact match ${exactMatch.value.toFixed(2)}`
    : `next-token accuracy ${accuracy.value.toFixed(3)}`;
  console.log(
    `${task} ${strategy} ${blocks}: ${skipped.join(', ')} (${passes} passes, ${seconds.toFixed(0)} s); ` +
      `${scales}: held-out loss ${loss.toFixed(4)}, ${quality}`,
  );
}

async function largestBudget(model) {
  const { savings } = await describeModel({ model }, context);
  const kinds = kind === 'both' ? ['attention', 'mlp'] : [kind];
  return kinds.reduce((sum, one) => sum + (savings[one]?.largestBudget ?? 0), 0);
}

/** The settings of a job that say what it is about. */
async function taskFiles(task) {
  if (task !== 'stories') return { model: sample, dataset: path.join(sample, 'tasks', `${task}.jsonl`) };
  const model = path.join(cache, 'stories260K');
  await cp(path.join(storiesFiles, 'hf'), model, { recursive: true });
  await cp(path.join(storiesFiles, 'stories260K.onnx'), path.join(model, 'model.onnx'));
  const dataset = path.join(root, '..', 'shared', 'data', 'tinystories', 'tinystories_sample_2MiB.txt');
  return { model, dataset, overlong: 'cut', maxTokens: 128 };
}
