/** One job of bench/real.mjs in a process of its own, so that its peak of memory is its own; figures as JSON on stdout. */
import { resourceUsage } from 'node:process';
import { checkedSettings, describeModel, slim } from '../dist/engine/index.js';
import { benchContext } from './context.mjs';

const request = JSON.parse(process.argv[2]);
const { kind, strategy, responses, seed, calibrationTokens, heldoutTokens, epochs, threads } = request;
const context = benchContext();
const { layers } = await describeModel({ model: request.modelFolder }, context);
const blocksThere = kind === 'both' ? 2 * layers : layers;
const run = context.store.create(
  checkedSettings({
    model: request.modelFolder,
    dataset: request.dataset,
    kind,
    strategy,
    responses,
    seed,
    calibrationTokens,
    heldoutTokens,
    ...(threads === undefined ? {} : { threads }),
    training: { epochs },
    budget: { kind: 'blocks', blocks: Math.max(1, Math.round(request.share * blocksThere)) },
    answerRows: 0,
    speedRounds: 0,
  }),
);
try {
  const started = performance.now();
  const { report } = await slim({ run }, context);
  const seconds = (performance.now() - started) / 1000;
  const { skipped, withScales, withoutScales } = report.points.at(-1);
  // What the model's own answers are judged by is how far its distributions are; else the loss of the file's answers.
  const measure = responses === 'own' ? 'divergence' : 'loss';
  const { userCPUTime, systemCPUTime, maxRSS } = resourceUsage();
  const figures = {
    skipped,
    measure,
    original: report.original[measure],
    trainedOriginal: report.trainedOriginal?.[measure],
    before: withoutScales[measure],
    after: withScales[measure],
    accuracy: withScales.tokenAccuracy,
    rows: withScales.rows,
    tokens: withScales.tokens,
    seconds,
    processorSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakBytes: maxRSS * 1024,
  };
  process.stdout.write(JSON.stringify(figures));
} finally {
  await context.kept.release();
  context.store.delete(run);
}
