/**
 * What the page says while the engine is at work, and what of it can be given up. The engine's process is held still
 * meanwhile, so no test depends on how long the work takes.
 */
import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { calibrate as calibrateTexts } from '../../src/renderer/texts/calibrate.js';
import { compare as compareTexts } from '../../src/renderer/texts/compare.js';
import { frame } from '../../src/renderer/texts/frame.js';
import { model as modelTexts } from '../../src/renderer/texts/model.js';
import type { Workspace } from '../../src/shared/app.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { canFreeze, freezeReason, isAlive, whileFrozen } from './support/frozen-process.js';
import { answerDialogs, launch, newHome, type RunningApp } from './support/launch.js';
import { sampleModel, sampleWorkspace } from './support/sample-job.js';

/** Nothing may be lost and nothing is learnt; the model is right in every answer before a block goes. */
const NO_LOSS = {
  budget: { kind: 'quality', largestDrop: 0 },
  strategy: 'last',
  calibrationRows: 8,
  heldoutRows: 4,
  training: { epochs: 1, learningRate: 0 },
  answerRows: 1,
} satisfies Workspace['job'];

let app: RunningApp;
let ui: AppPage;

async function open(home: string, job?: Workspace['job']): Promise<void> {
  app = await launch({ home, workspace: sampleWorkspace(job) });
  ui = new AppPage(app.page);
  await untilReady();
}

/** Model and task are read. */
async function untilReady(): Promise<void> {
  await ui.slimButton.click({ trial: true });
}

function rowsIn(file: string, count: number, words: string): string {
  const row = (place: number) => JSON.stringify({ prompt: `${place}: ${words}`, response: `${place}` });
  writeFileSync(file, Array.from({ length: count }, (_, place) => row(place)).join('\n'));
  return file;
}

describe.skipIf(!electronProgram() || !canFreeze)(
  `an estimate that does not come${electronReason}${freezeReason}`,
  () => {
    beforeAll(async () => {
      const home = newHome();
      cpSync(sampleModel, path.join(home, 'other'), { recursive: true });
      await open(home);
      await ui.go('budget');
      await ui.budget.time.waitFor();
    });

    afterAll(async () => await app?.close());

    test('a figure of other settings goes at once; measuring can be stopped', async () => {
      let ended = 0;
      await whileFrozen(app, 'calibration', async (pid) => {
        await ui.budget.amount.press('ArrowRight');
        expect(await ui.budget.time.count()).toBe(0);
        await ui.budget.stopMeasuring.click();
        await ui.budget.measuringStopped.waitFor();
        ended = pid;
      });
      await expect.poll(() => isAlive(ended)).toBe(false);
      await ui.budget.measureAgain.click();
      await ui.budget.time.waitFor();
    });

    test('another model is opened meanwhile, and measured in its place', async () => {
      let ended = 0;
      await whileFrozen(app, 'calibration', async (pid) => {
        await ui.budget.amount.press('ArrowLeft');
        await ui.budget.stopMeasuring.waitFor();
        await ui.go('model');
        await answerDialogs(app.electron, path.join(app.home, 'other'));
        await ui.content.getByRole('button', { name: modelTexts.openFolder }).click();
        await ui.content.getByRole('heading', { name: 'other', level: 1 }).waitFor();
        await untilReady();
        await ui.go('budget');
        await ui.budget.time.waitFor();
        expect(await ui.promise.textContent()).toContain(' of other for ');
        ended = pid;
      });
      await expect.poll(() => isAlive(ended)).toBe(false);
      expect(app.errors).toEqual([]);
    });
  },
);

describe.skipIf(!electronProgram() || !canFreeze)(
  `a large dataset that is being read${electronReason}${freezeReason}`,
  () => {
    afterEach(async () => await app?.close());

    test('nothing of the task before is said of it, nothing can start, and a smaller one goes before it', async () => {
      const home = newHome();
      const large = rowsIn(
        path.join(home, 'large.jsonl'),
        50_000,
        'How many toys does Wes have? '.repeat(13),
      );
      const small = rowsIn(path.join(home, 'small.jsonl'), 40, 'How many toys does Wes have?');
      await open(home);
      await ui.go('task');
      await ui.task.rows.waitFor();
      await whileFrozen(app, 'engine', async () => {
        await answerDialogs(app.electron, large);
        await ui.task.openFile.click();
        await ui.task.title('large.jsonl').waitFor();
        expect(await ui.task.rows.count()).toBe(0);
        expect(await ui.slimButton.isEnabled()).toBe(false);
        expect(await ui.promise.textContent()).toBe(frame.obstacles.reading);
        await ui.task.reading.waitFor();
        expect(await ui.content.textContent()).not.toMatch(/\d rows/);

        await answerDialogs(app.electron, small);
        await ui.task.openFile.click();
        await ui.task.title('small.jsonl').waitFor();
      });
      await ui.task.facts('jsonl', 40).waitFor();
      // Also once the large one has been read.
      const read = async () => (await app.ask('task.recent')).map(({ dataset }) => dataset);
      await expect.poll(read, { timeout: 60_000 }).toContain(large);
      expect(await ui.task.facts('jsonl', 40).count()).toBe(1);
      expect(await ui.promise.textContent()).toContain(' for small');
      expect((await app.ask('workspace.get')).task).toMatchObject({ dataset: small });
      expect(app.errors).toEqual([]);
    });
  },
);

describe.skipIf(!electronProgram())(`a budget that cannot be had${electronReason}`, () => {
  afterAll(async () => await app?.close());

  test('more blocks than there are: all that may be skipped are shown and asked for', async () => {
    await open(newHome(), { budget: { kind: 'blocks', blocks: 99 } });
    const { savings } = await app.ask('model.open', { model: sampleModel });
    await ui.go('budget');
    for (const kind of ['mlp', 'attention'] as const) {
      const { largestBudget } = savings[kind]!;
      await ui.budget.kind(kind).click();
      await ui.budget.ofLargest(largestBudget).waitFor();
      await ui.budget.amount.press('End');
      await ui.budget.amount.press('ArrowRight');
      expect(await ui.budget.amount.inputValue()).toBe(String(largestBudget));
      expect(await ui.promise.textContent()).toMatch(new RegExp(`^Skip ${largestBudget} `));
    }
    expect(app.errors).toEqual([]);
    await app.close();
  });

  test('quality that no block can keep: refused in words, with what would work; not to be gone on with', async () => {
    await open(newHome(), NO_LOSS);
    await ui.slimButton.click();
    await ui.calibrate.waitForTitle(calibrateTexts.impossible);
    const text = await ui.content.textContent();
    expect(text).toContain('No block can be skipped within a loss of 0.0 %');
    expect(text).toContain('allow a larger loss, or ask for a number of blocks');
    expect(text).not.toContain('--');
    expect(await ui.calibrate.button('resume').count()).toBe(0);
    const [run] = await app.ask('runs.list');
    expect(run).toMatchObject({ status: 'impossible', resumable: false });
    await ui.calibrate.button('askForOther').click();
    await ui.budget.amount.or(ui.budget.kind('mlp')).first().waitFor();
    expect(app.errors).toEqual([]);
  });

  /** The block that was tried is there to be compared. */
  test.skipIf(!canFreeze)('a question that is stopped before its first word is no answer', async () => {
    await ui.go('compare');
    const panes = [ui.compare.original, ui.compare.slimmed(1)];
    await panes[1]!.waitFor();
    await whileFrozen(app, 'engine', async () => {
      await ui.compare.ask('How many toys does Wes have now?');
      for (const pane of panes) await pane.getByText(compareTexts.waiting).waitFor();
      await ui.compare.stop.click();
    });
    await ui.compare.waitForAnswers();
    for (const pane of panes) await pane.getByText(compareTexts.stopped).waitFor();
    expect(await ui.compare.verdict.count()).toBe(0);
    expect(app.errors).toEqual([]);
  });
});
