/** What is told before a job and what the job does: whose answers, how much work, which sizes. */
import { cpSync, existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { sampleTask } from '../../../test/support/sample.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../test/support/shared-folder.js';
import { temporaryFile, temporaryFolder } from '../../../test/support/temporary-folder.js';
import { CancelledError } from '../../schema/errors.js';
import type { JobEvent } from '../../schema/events.js';
import type { JobSettingsInput } from '../../schema/settings.js';
import { RunStore } from '../runs/run-store.js';
import { jobContext } from './context.js';
import { comparePrompt } from './compare-prompt.js';
import { describeModel } from './describe-model.js';
import { estimate } from './estimate.js';
import { modelBytes, sizeFigures } from './parts/model-files.js';
import { checkedSettings } from './parts/settings.js';
import { openModel } from './parts/source-model.js';
import { foreseenWork } from './parts/work.js';
import { previewTask } from './preview-task.js';
import { slim } from './slim.js';

vi.setConfig({ testTimeout: 300_000 });

/** A job that takes seconds. */
const QUICK = {
  model: sampleFolder,
  dataset: sampleTask('tracking'),
  responses: 'file',
  strategy: 'cosine',
  budget: { kind: 'blocks', blocks: 1 },
  calibrationRows: 8,
  heldoutRows: 4,
  batchRows: 4,
  training: { epochs: 1 },
  maxNewTokens: 6,
  answerRows: 0,
  speedRounds: 0,
} as const satisfies JobSettingsInput;

function newJob(changes: Partial<JobSettingsInput> = {}) {
  const folder = temporaryFolder();
  const settings = checkedSettings({ ...QUICK, ...changes });
  const controller = new AbortController();
  const events: JobEvent[] = [];
  const context = jobContext({
    store: new RunStore(path.join(folder, 'runs')),
    cache: path.join(folder, 'cache'),
    signal: controller.signal,
    on: (event) => {
      events.push(event);
      // The task is read and the work is foreseen: what comes after costs time and tells no more.
      if (event.type === 'progress') controller.abort();
    },
  });
  return { settings, events, context };
}

/** What a job tells until its calibration has begun. */
async function beginningOf({ settings, events, context }: ReturnType<typeof newJob>): Promise<JobEvent[]> {
  const job = slim({ run: context.store.create(settings) }, context);
  await expect(job).rejects.toThrow(CancelledError);
  return events;
}

describe('whose answers are learnt from', () => {
  const sentence = "The file brings no answers, so the model's own are learnt from.";

  async function bothSay(dataset: string) {
    const job = newJob({ dataset });
    const asked = { model: sampleFolder, dataset, responses: job.settings.responses, previewRows: 1 };
    const shown = await previewTask(asked, job.context);
    const events = await beginningOf(job);
    const told = events.find((event) => event.type === 'columns');
    return { shown, told, generates: events.some(({ type }) => type === 'answers') };
  }

  it.skipIf(!hasShared)(
    `is the same in preview and job where the file was to bring them and does not${sharedReason}`,
    async () => {
      const { shown, told, generates } = await bothSay(sharedPath('cases', 'files', 'prompts-only.jsonl'));
      expect(shown).toMatchObject({ state: 'ready', responses: 'own', hasResponses: false });
      expect(shown).toHaveProperty('reason', expect.stringContaining(sentence));
      expect(told).toMatchObject({ columns: expect.stringContaining(sentence) as string, problems: [] });
      expect(generates).toBe(true);
    },
  );

  it('is the file in both where it brings them', async () => {
    const { shown, told, generates } = await bothSay(QUICK.dataset);
    expect(shown).toMatchObject({ state: 'ready', responses: 'file' });
    expect(shown).toHaveProperty('reason', told!.columns);
    expect(told!.columns).not.toContain(sentence);
    expect(generates).toBe(false);
  });
});

describe('a budget above what can be skipped', () => {
  it('is refused on opening, before any answer is generated', async () => {
    const job = newJob({ responses: 'own', budget: { kind: 'blocks', blocks: 12 } });
    const refused = slim({ run: job.context.store.create(job.settings) }, job.context);
    await expect(refused).rejects.toThrow(
      'The model has 11 attention blocks that can be skipped; a budget of 12 is too much.',
    );
    expect(job.events).toEqual([{ type: 'stage', stage: 'opening the model' }]);
    expect(existsSync(job.context.cache)).toBe(false);
  });

  it('is refused by the estimate in the same words', async () => {
    const { settings, context } = newJob({ budget: { kind: 'blocks', blocks: 12 } });
    await expect(estimate({ settings, inElectron: false }, context)).rejects.toThrow(
      'The model has 11 attention blocks that can be skipped; a budget of 12 is too much.',
    );
  });
});

describe('the work foreseen', () => {
  /** The sample's task, and rows among it that are too long to be used. */
  const someTooLong = () => {
    const rows = Array.from({ length: 24 }, (_, index) => ({
      prompt: `Add ${index} and 1.${index % 4 === 0 ? ' Again.'.repeat(120) : ''}`,
      response: `It is ${index + 1}.`,
    }));
    return temporaryFile('lengths.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  };

  it.each<[string, () => Partial<JobSettingsInput>]>([
    [
      'finer and fewer batches',
      () => ({ strategy: 'fast', batchRows: 3, calibrationRows: 7, heldoutRows: 5 }),
    ],
    ['rows that are too long', () => ({ dataset: someTooLong(), maxTokens: 64, calibrationRows: 16 })],
    ['fewer rows than a batch', () => ({ strategy: 'fast', batchRows: 64 })],
    ['a budget of quality', () => ({ budget: { kind: 'quality', largestDrop: 0.5 }, strategy: 'last' })],
  ])('is as much in the estimate as in the job: %s', async (_, changes) => {
    const job = newJob(changes());
    const { steps } = await estimate({ settings: job.settings, inElectron: false }, job.context);
    const counted = (await beginningOf(job)).find((event) => event.type === 'progress');
    expect(counted!.total).toBeCloseTo(steps, 6);
  });

  it.each([
    ["the model's own answers", 'divergence', 1],
    ["the file's, which the whole model learns, too", 'cross-entropy', 2],
  ] as const)('counts the training of a model that is only cut: %s', async (_, loss, trainings) => {
    const { decoder } = await openModel(sampleFolder);
    const workOf = (epochs: number) => {
      const changes = { cuts: { precision: 'q4' }, budget: { kind: 'blocks', blocks: 0 } } as const;
      const { settings } = newJob({ ...changes, training: { epochs } });
      const size = { rounds: 0, batches: 3, heldoutBatches: 2, smallBatchShare: 1, loss };
      return foreseenWork(decoder, settings, size);
    };
    expect(workOf(5).total - workOf(4).total).toBe(trainings * workOf(4).epoch);
  });
});

it('tokens a second are those written after the prompt was read, over the seconds since', async () => {
  const { events, context } = newJob();
  const models = { original: { model: sampleFolder }, slimmed: { model: sampleFolder } };
  const prompt = 'Ann has 58 nuts. Ann buys 17 more. How many nuts are there in the end?';
  const { original } = await comparePrompt({ models, prompt, maxNewTokens: 12, seed: 0 }, context);
  await context.kept.release();
  expect(original.tokens).toBeGreaterThan(4);
  expect(original.tokensPerSecond * original.seconds).toBeCloseTo(original.tokens - 1, 6);
  // While it is written the same seconds are told as when it is done: none for the first token.
  const told = events.flatMap((event) =>
    event.type === 'token' && event.side === 'original' ? [event] : [],
  );
  expect(told[0]).toMatchObject({ tokens: 1, seconds: 0 });
  expect(told.at(-1)!.seconds).toBeLessThanOrEqual(original.seconds);
});

describe('the size of a model', () => {
  const file = path.join(sampleFolder, 'onnx', 'model.onnx');
  const bytes = statSync(file).size;

  it('with its weights inside is that of its file, also where a limit of memory leaves them there', async () => {
    const limited = await openModel(sampleFolder, undefined, 8);
    for (const model of [await openModel(sampleFolder), limited]) {
      expect(modelBytes(model)).toBe(bytes);
      expect(sizeFigures(model).modelBytes).toBe(bytes);
    }
  });

  it('is the same where a model is described within a limit', async () => {
    const { context } = newJob();
    expect((await describeModel({ model: sampleFolder }, context)).fileBytes).toBe(bytes);
    expect((await describeModel({ model: sampleFolder }, { ...context, memory: 8 })).fileBytes).toBe(bytes);
  });

  it('is that of a file which is not called as usual, too', async () => {
    const folder = temporaryFolder();
    cpSync(file, path.join(folder, 'small.onnx'));
    expect(modelBytes(await openModel(folder, undefined, 8))).toBe(bytes);
  });
});
