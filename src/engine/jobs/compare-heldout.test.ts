/** Held-out prompts as they are shown, with a chat template that writes words of its own around them. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { beforeAll, expect, it } from 'vitest';
import { sampleTask } from '../../../test/support/sample.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { jobSettings } from '../../schema/settings.js';
import { RunStore } from '../runs/run-store.js';
import { compareHeldout } from './compare-heldout.js';
import { newComparison } from './compare-list.js';
import { jobContext } from './context.js';
import { slim } from './slim.js';

const folder = temporaryFolder();
const model = path.join(folder, 'polite');
const context = jobContext({
  store: new RunStore(path.join(folder, 'runs')),
  cache: path.join(folder, 'cache'),
  startTiming: () => Promise.resolve({ ask: () => Promise.resolve(undefined), end: () => {} }),
});
const runs: string[] = [];

async function slimOnce(): Promise<void> {
  const settings = {
    model,
    dataset: sampleTask('tracking'),
    responses: 'file',
    strategy: 'block-influence',
    budget: { kind: 'blocks', blocks: 1 },
    calibrationRange: { first: 0, last: 3 },
    heldoutRange: { first: 400, last: 401 },
    training: { epochs: 1 },
    maxNewTokens: 4,
    answerRows: 2,
    speedRounds: 1,
  };
  const run = context.store.create(v.parse(jobSettings, settings));
  runs.push(run.id);
  await slim({ run }, context);
}

beforeAll(async () => {
  cpSync(sampleFolder, model, { recursive: true });
  const file = path.join(model, 'tokenizer_config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as { chat_template: string };
  config.chat_template = config.chat_template.replace('{{ bos_token }}', '{{ bos_token }}You are of help. ');
  writeFileSync(file, JSON.stringify(config));
  await slimOnce();
  await slimOnce();
}, 120_000);

it('are what the dataset says: asked once more, they do not get the template’s words twice', async () => {
  const { rows } = await compareHeldout({ run: runs[0]!, blocks: 1 }, context);
  const asked = readFileSync(sampleTask('tracking'), 'utf8')
    .split('\n')
    .slice(400, 402)
    .map((line) => (JSON.parse(line) as { prompt: string }).prompt);
  expect(rows.map(({ prompt }) => prompt).toSorted()).toEqual(asked.toSorted());
});

it('points of two runs with one name are told apart in a list', async () => {
  const { names } = await newComparison(
    {
      models: runs.map((run) => ({ kind: 'point', run, blocks: 1 })),
      prompts: { from: 'heldout', run: runs[0]! },
      maxNewTokens: 4,
      seed: 0,
    },
    context,
  );
  for (const name of names) expect(name).toMatch(/^polite, tracking, 1 skipped, run of \d{4}-\d\d-\d\d /);
  expect(new Set(names).size).toBe(2);
});
