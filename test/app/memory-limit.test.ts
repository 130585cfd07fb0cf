/** A limit of memory in the app: the estimate knows it, the job keeps to it, and says how. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RequestInput } from '../../src/shared/contract.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { launch, type RunningApp } from './support/launch.js';
import { sampleModel, sampleTask, sampleWorkspace } from './support/sample-job.js';
import { waitForJob } from './support/wait.js';

const LIMIT = 4e9;

describe.skipIf(!electronProgram())(`a limit of memory${electronReason}`, () => {
  let app: RunningApp;
  const { job } = sampleWorkspace({
    memory: LIMIT,
    budget: { kind: 'blocks', blocks: 1 },
    calibrationRows: 8,
    heldoutRows: 4,
    answerRows: 2,
  });
  const settings: RequestInput<'job.start'> = { model: sampleModel, dataset: sampleTask, ...job };

  beforeAll(async () => {
    app = await launch({ workspace: sampleWorkspace(job) });
  });

  afterAll(async () => await app?.close());

  test('is a field of the advanced settings', async () => {
    const ui = new AppPage(app.page);
    await ui.go('budget');
    await app.page.getByText('Advanced settings').click();
    const field = app.page.getByLabel(/Memory limit/);
    expect(await field.inputValue()).toBe('4');
    await field.fill('0.04');
    await field.press('Tab');
    // Below the least that makes sense, so the field keeps what it had.
    expect(await field.inputValue()).toBe('4');
  });

  test('that is too low is refused by the estimate, with the lowest that is enough', async () => {
    // A newer estimate, the page's own, ends an older one.
    const { fits, reason, memoryBytes } = await vi.waitFor(
      async () => await app.ask('job.estimate', { ...settings, memory: 100e6 }),
      { timeout: 20_000 },
    );
    expect(fits).toBe(false);
    expect(reason).toMatch(/^A memory limit of 100 MB is too little .* it takes about \d+ MB at the least/);
    expect(memoryBytes).toBeGreaterThan(100e6);
  });

  test('with room is estimated, and the job says on what it runs and how', async () => {
    const estimate = await vi.waitFor(async () => await app.ask('job.estimate', settings), {
      timeout: 60_000,
    });
    expect(estimate).toMatchObject({ fits: true });
    expect(estimate.memoryBytes).toBeLessThanOrEqual(LIMIT);
    expect(estimate.device).toMatch(/^Runs on .*\.$/);
    await app.ask('job.start', settings);
    const { device, memory } = await waitForJob(app, ({ status }) => status === 'finished');
    expect(device).toMatch(/^Runs on .*\.$/);
    expect(memory).toEqual({
      answers: 'answers with the model whole',
      calibration: 'calibration with the model whole',
    });
    expect(app.errors).toEqual([]);
  });
});
