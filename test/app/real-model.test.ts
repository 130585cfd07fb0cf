/** A model that somebody has downloaded, from the drop on the window to the exported folder. */
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compare } from '../../src/renderer/texts/compare.js';
import { model as modelTexts } from '../../src/renderer/texts/model.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { answerDialogs, dropFile, launch, type RunningApp } from './support/launch.js';
import { sampleTask } from './support/sample-job.js';

const folder =
  process.env.HOPSCOTCH_REAL_MODELS ?? path.join(os.homedir(), '.cache', 'hopscotch-real-models');
const file = path.join(folder, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const why = electronProgram() && !existsSync(file) ? ` (skipped: there is no ${file})` : electronReason;

/** As little as still goes the whole way. */
const TINY = {
  budget: { kind: 'blocks', blocks: 2 },
  strategy: 'cosine',
  responses: 'file',
  calibrationRows: 4,
  heldoutRows: 2,
  batchRows: 4,
  training: { epochs: 1 },
  maxNewTokens: 8,
  answerRows: 1,
} as const;

describe.skipIf(!electronProgram() || !existsSync(file))(`a real model${why}`, () => {
  let app: RunningApp;
  let ui: AppPage;

  beforeAll(async () => {
    app = await launch({ workspace: { task: { dataset: sampleTask }, job: TINY } });
    ui = new AppPage(app.page);
  });
  afterAll(async () => await app?.close());

  test('dropped on the window, it says what it becomes before it is converted, and opens', async () => {
    await dropFile(app.page, file);
    await ui.content
      .getByRole('heading', { name: modelTexts.conversion.title('SmolLM2-135M-Instruct.Q4_1') })
      .waitFor();
    await ui.content.getByText(/^about 1\d\d MB$/).waitFor();
    await ui.content.getByRole('button', { name: modelTexts.conversion.convert }).click();
    await ui.content
      .getByRole('heading', { name: 'SmolLM2-135M-Instruct.Q4_1', level: 1 })
      .waitFor({ timeout: 120_000 });
    await expect.poll(() => ui.slimButton.isEnabled(), { timeout: 30_000 }).toBe(true);
  });

  test('is slimmed, and another point of its curve is trained with one click', async () => {
    await ui.slimButton.click();
    await ui.calibrate.waitUntilDone(2, 240_000);
    await ui.go('compare');
    await ui.content.getByRole('button', { name: compare.fewer }).click();
    await ui.content.getByRole('button', { name: /^Train 1 block/ }).click();
    await expect.poll(async () => (await app.ask('job.state')).status, { timeout: 120_000 }).toBe('finished');
    await expect.poll(() => ui.compare.slimmed(1).isVisible(), { timeout: 30_000 }).toBe(true);
    const [run] = await app.ask('runs.list');
    expect((await app.ask('runs.show', { run: run!.id })).trainedPoints).toEqual([1, 2]);
  });

  test('reading a long prompt can be stopped', async () => {
    await ui.compare.ask('All work and no play makes a dull boy. '.repeat(150));
    await app.page.waitForTimeout(500);
    const asked = performance.now();
    await app.page.getByRole('button', { name: compare.stop }).click();
    await ui.compare.waitForAnswers();
    expect(performance.now() - asked).toBeLessThan(15_000);
  });

  test('is exported for both consumers', async () => {
    await ui.go('export');
    await answerDialogs(app.electron, app.home);
    await ui.export.chooseFolder.click();
    await ui.export.waitForFolder(app.home);
    await ui.export.name.fill('slimmed');
    await expect.poll(() => ui.export.write.isEnabled(), { timeout: 20_000 }).toBe(true);
    await ui.export.write.click();
    await ui.export.waitUntilWritten();
    const written = readdirSync(path.join(app.home, 'slimmed'));
    expect(written).toEqual(expect.arrayContaining(['config.json', 'genai_config.json', 'tokenizer.json']));
    expect(app.errors).toEqual([]);
  });
});
