import { afterEach, describe, expect, test } from 'vitest';
import { calibrate } from '../../src/renderer/texts/calibrate.js';
import type { Workspace } from '../../src/shared/app.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { answerDialogs, calibrationProcess, launch, newHome, type RunningApp } from './support/launch.js';
import { LONG_JOB, sampleWorkspace } from './support/sample-job.js';
import { finishedWork, waitForJob } from './support/wait.js';

describe.skipIf(!electronProgram())(`a calibration that is interrupted${electronReason}`, () => {
  let app: RunningApp;

  afterEach(async () => await app?.close());

  async function startedJob(home: string, job: Workspace['job'] | undefined): Promise<AppPage> {
    app = await launch({ home, workspace: sampleWorkspace(job) });
    const ui = new AppPage(app.page);
    await expect.poll(() => ui.slimButton.isEnabled(), { timeout: 20_000 }).toBe(true);
    await ui.slimButton.click();
    await waitForJob(app, (state) => finishedWork(state) > 0);
    return ui;
  }

  test('stopped, then the app is started again: everything is remembered and the run goes on', async () => {
    const home = newHome();
    const ui = await startedJob(home, { responses: 'file' });
    await ui.calibrate.button('stop').click();
    await ui.calibrate.waitForTitle(calibrate.stopped);
    await expect.poll(() => calibrationProcess(app)).toBeUndefined();
    const before = await app.ask('job.state');
    await app.close();

    app = await launch({ home });
    const again = new AppPage(app.page);
    expect(await app.ask('workspace.get')).toMatchObject({ step: 'calibrate', run: before.run!.id });
    expect(await app.ask('runs.list')).toMatchObject([
      { id: before.run!.id, status: 'stopped', resumable: true },
    ]);
    await again.calibrate.button('resume').click();
    const resumed = await waitForJob(app, (state) => state.status === 'running' && state.rounds.length > 0);
    expect(finishedWork(resumed)).toBeGreaterThanOrEqual(finishedWork(before));
    await again.calibrate.waitUntilDone(2);
    expect(app.errors).toEqual([]);
  });

  test('stopped between two points of the curve: the first can be compared and exported', async () => {
    const ui = await startedJob(newHome(), { responses: 'file', training: { epochs: 6 } });
    await waitForJob(app, (state) => state.points.length > 0);
    await ui.calibrate.button('stop').click();
    await ui.calibrate.waitForTitle(calibrate.stopped);

    await ui.go('runs');
    await app.page.getByRole('img', { name: /^Quality from .* over 2 blocks$/ }).waitFor();
    await ui.go('compare');
    await ui.compare.ask('Wes has 37 toys. Wes sells 7 toys. How many toys does Wes have now?');
    await expect.poll(() => ui.compare.slimmed(2).textContent(), { timeout: 30_000 }).toMatch(/####\s*\d+/);
    await ui.go('export');
    await answerDialogs(app.electron, app.home);
    await ui.export.chooseFolder.click();
    await expect.poll(() => ui.export.write.isEnabled(), { timeout: 10_000 }).toBe(true);
    await ui.export.write.click();
    await ui.export.waitUntilWritten();
    expect(await app.ask('runs.list')).toMatchObject([{ status: 'stopped', resumable: true }]);
    expect(app.errors).toEqual([]);
  });

  test('stopped and resumed', async () => {
    const ui = await startedJob(newHome(), LONG_JOB);
    await ui.calibrate.button('stop').click();
    await ui.calibrate.waitForTitle(calibrate.stopped);
    await ui.calibrate.button('resume').click();
    await ui.calibrate.button('stop').waitFor();
    await waitForJob(app, (state) => state.status === 'running' && state.rounds.length > 0);
  });

  test('the engine’s process is killed: the app says so, loses nothing and offers to resume', async () => {
    const ui = await startedJob(newHome(), LONG_JOB);
    const pid = await calibrationProcess(app);
    const before = await app.ask('job.state');
    process.kill(pid!, 'SIGKILL');
    await ui.calibrate.waitForTitle(calibrate.crashed);
    expect(await app.ask('job.state')).toMatchObject({ status: 'crashed', run: { id: before.run!.id } });
    expect(await app.ask('runs.list')).toMatchObject([
      { id: before.run!.id, status: 'stopped', resumable: true },
    ]);
    expect(app.log()).toContain('ended with code');

    await ui.calibrate.button('resume').click();
    const resumed = await waitForJob(app, (state) => state.status === 'running' && finishedWork(state) > 0);
    expect(finishedWork(resumed)).toBeGreaterThanOrEqual(finishedWork(before));
    expect(await calibrationProcess(app)).not.toBe(pid);
  });

  test('closing the window asks first, and stopping keeps the run', async () => {
    const home = newHome();
    await startedJob(home, LONG_JOB);
    await app.electron.evaluate(({ BrowserWindow, dialog }) => {
      const asked = globalThis as unknown as { asked: string[] };
      asked.asked = [];
      dialog.showMessageBox = ((_window: unknown, { message }: { message: string }) => {
        asked.asked.push(message);
        return Promise.resolve({ response: 0, checkboxChecked: false });
      }) as never;
      BrowserWindow.getAllWindows()[0]!.close();
    });
    await app.page.waitForTimeout(500);
    expect(
      await app.electron.evaluate(() => (globalThis as unknown as { asked: string[] }).asked),
    ).toHaveLength(1);
    expect((await app.ask('job.state')).status).toBe('running');
    await app.close();

    app = await launch({ home });
    expect(await app.ask('runs.list')).toMatchObject([{ status: 'stopped', resumable: true }]);
  });
});
