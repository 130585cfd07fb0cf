/**
 * What skipping blocks brings in speed: the original and exported models in turn, each in a process of its own, beside
 * the share of the original's time that onnxruntime's profile gives the skipped blocks. Measured on the sample and on a
 * model made for it; needs nothing else to run meanwhile. Which blocks are skipped does not matter here: they are drawn,
 * and their scales hardly trained.
 * usage: node bench/speed.mjs (after npm run build); options: --hidden 768 (of the made model)  --rounds 15  --threads 1
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkedSettings, exportPoint, measureBlocks, measureModels, slim } from '../dist/engine/index.js';
import { benchContext, cache, sample } from './context.mjs';
import { makeModel } from './made-model.mjs';

const { values: flags } = parseArgs({
  options: {
    hidden: { type: 'string', default: '768' },
    rounds: { type: 'string', default: '15' },
    threads: { type: 'string', default: '1' },
  },
});
const rounds = Number(flags.rounds);
const threads = Number(flags.threads);
const context = benchContext({ device: { provider: 'cpu', threads } });
const SKIPPED = [1, 3, 6];
const NEW_TOKENS = 48;
const PROMPT = Array.from({ length: 128 }, (_, token) => 5 + ((token * 71) % 600));

mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(path.join(cache, 'speed-'));
try {
  await measure('the sample', sample);
  const hidden = Number(flags.hidden);
  await measure(`12 layers of ${hidden}`, await madeFolder(hidden));
} finally {
  await context.kept.release();
  rmSync(folder, { recursive: true, force: true });
}

/** A made model with the sample's tokenizer, so that it can be slimmed. */
async function madeFolder(hidden) {
  const made = path.join(folder, 'made');
  await makeModel(made, { layers: 12, hidden, heads: hidden / 64, kvHeads: hidden / 128, vocabulary: 4096 });
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    cpSync(path.join(sample, file), path.join(made, file));
  return made;
}

async function measure(title, model) {
  const request = { model: { model }, prompt: PROMPT, newTokens: NEW_TOKENS, rounds };
  const shares = await measureBlocks(request, context);
  console.log(
    `${title}, ${threads} thread${threads === 1 ? '' : 's'}, ${PROMPT.length} prompt and ${NEW_TOKENS} new tokens:`,
  );
  for (const { skipped, output } of await slimmedModels(model)) {
    const [original, slimmed] = await measureModels(
      { models: [{ model }, { model: output }], prompts: [PROMPT], newTokens: NEW_TOKENS, rounds },
      context,
    );
    const time = (key) => (original[key] / slimmed[key]).toFixed(3);
    const rest = (shareOf) => (1 - skipped.reduce((sum, block) => sum + shareOf[block], 0)).toFixed(3);
    console.log(
      `  ${skipped.length} skipped: prompts take ${time('promptTokensPerSecond')} of the original's time ` +
        `(profile without the blocks: ${rest(shares.prompt)}), ` +
        `new tokens ${time('newTokensPerSecond')} (${rest(shares.newTokens)})`,
    );
  }
}

/** Exports of one run: folders, and the blocks that each is without. */
async function slimmedModels(model) {
  const { store } = context;
  const run = store.create(
    checkedSettings({
      model,
      dataset: path.join(sample, 'tasks', 'tracking.jsonl'),
      responses: 'file',
      strategy: 'random',
      budget: { kind: 'blocks', blocks: Math.max(...SKIPPED) },
      calibrationRange: { first: 0, last: 7 },
      heldoutRange: { first: 400, last: 407 },
      training: { epochs: 1 },
      answerRows: 0,
      speedRounds: 0,
      threads,
    }),
  );
  try {
    const { report } = await slim({ run }, context);
    const exported = [];
    for (const blocks of SKIPPED) {
      const output = path.join(folder, `${path.basename(model)}-${blocks}`);
      await exportPoint({ run: run.id, blocks, folder: output }, context);
      const { skipped } = report.points.find((point) => point.skipped.length === blocks);
      exported.push({ skipped, output });
    }
    return exported;
  } finally {
    store.delete(run);
  }
}
