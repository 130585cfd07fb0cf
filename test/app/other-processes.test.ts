import { afterEach, describe, expect, test } from 'vitest';
import { electronProgram, electronReason } from './support/electron-program.js';
import { calibrationProcess, launch, type RunningApp } from './support/launch.js';
import { LONG_JOB, sampleModel, sampleTask, sampleWorkspace } from './support/sample-job.js';
import { finishedWork, waitForJob } from './support/wait.js';

describe.skipIf(!electronProgram())(`the engine’s processes${electronReason}`, () => {
  let app: RunningApp;

  afterEach(async () => await app?.close());

  test('while one calibrates, the other answers at once', async () => {
    app = await launch();
    await app.ask('job.start', { model: sampleModel, dataset: sampleTask, ...sampleWorkspace(LONG_JOB).job });
    await waitForJob(app, (state) => finishedWork(state) > 0);
    const started = performance.now();
    expect(await app.ask('model.open', { model: sampleModel })).toMatchObject({ layers: 12 });
    expect(await app.ask('runs.list')).toMatchObject([{ status: 'running', resumable: false }]);
    expect(performance.now() - started).toBeLessThan(10_000);
    await expect(app.ask('job.start', { model: sampleModel, dataset: sampleTask })).rejects.toThrow(
      'is running',
    );
    const { run } = await app.ask('job.state');
    await expect(app.ask('runs.delete', { run: run!.id })).rejects.toThrow('stop it first');
  });

  test('the engine can run in a Node of the machine instead', async () => {
    app = await launch();
    await app.ask('settings.set', { engineProcess: 'node' });
    await app.ask('job.start', { model: sampleModel, dataset: sampleTask, ...sampleWorkspace(LONG_JOB).job });
    await waitForJob(app, (state) => finishedWork(state) > 0);
    expect(await calibrationProcess(app)).toBeUndefined();
    await app.ask('job.stop');
    await waitForJob(app, (state) => state.status === 'stopped');
  });
});
