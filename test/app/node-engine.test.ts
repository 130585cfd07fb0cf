import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { EngineHost } from '../../src/main/engine-host/engine-host.js';
import { nodeChannel } from '../../src/main/engine-host/node-channel.js';
import { PassedFailure } from '../../src/shared/router.js';
import { projectRoot } from './support/electron-program.js';
import { newHome } from './support/launch.js';
import { sampleModel, sampleTask } from './support/sample-job.js';

/** Where the built engine lies; the app runs its entry file in Electron's utility process. */
const built = path.join(projectRoot, 'dist-app/engine');

const why = existsSync(built) ? '' : ' (skipped: `npm run app:build` makes what it runs)';

describe.skipIf(!existsSync(built))(`the engine in a plain Node${why}`, () => {
  const home = newHome();
  const onCrash = vi.fn<(code: number | null) => void>();
  const folders = {
    runs: path.join(home, 'runs'),
    cache: path.join(home, 'cache'),
    pasted: path.join(home, 'pasted'),
    sample: sampleModel,
  };
  const host = new EngineHost(() => nodeChannel(built, { folders, exportFolder: home }, process.execPath), {
    onEvent: () => undefined,
    onJobStopped: () => undefined,
    onCrash,
    log: () => undefined,
  });

  afterAll(() => host.end());

  test('describes the sample and previews a task', async () => {
    expect(await host.ask('model.open', { model: sampleModel })).toMatchObject({
      layers: 12,
      isSample: true,
    });
    const preview = await host.ask('task.open', { model: sampleModel, dataset: sampleTask, previewRows: 2 });
    expect(preview).toMatchObject({ state: 'ready', rows: 600 });
  });

  test('refuses malformed requests on its own side too', async () => {
    const asked = host.ask('runs.show', { run: '../../etc/passwd' });
    await expect(asked).rejects.toMatchObject({ failure: { kind: 'refused' } });
  });

  test('is started again after it was killed', async () => {
    const pending = host.ask('providers.list', undefined);
    process.kill(host.pid!, 'SIGKILL');
    await expect(pending).rejects.toBeInstanceOf(PassedFailure);
    expect(onCrash).toHaveBeenCalledOnce();
    expect(await host.ask('runs.list', undefined)).toEqual([]);
  });
});
