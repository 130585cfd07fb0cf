import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEXTS } from '../../src/main/texts.js';
import { task as taskTexts } from '../../src/renderer/texts/task.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram } from './support/electron-program.js';
import { launch, type RunningApp } from './support/launch.js';
import { sampleTask } from './support/sample-job.js';

const run = promisify(execFile);

/** Keys and windows of the virtual screen; elsewhere the test would type into the user's own windows. */
const canType = process.env.HOPSCOTCH_OWN_SCREEN === '1' && spawnSync('xdotool', ['--version']).status === 0;

const why = canType ? '' : ' (skipped: they need xdotool and a screen of their own)';

describe.skipIf(!electronProgram() || !canType)(`the system’s own dialogs${why}`, () => {
  let app: RunningApp;
  let ui: AppPage;

  beforeAll(async () => {
    // GTK remembers the dialog's folder through dconf, and tries for ever where there is no message bus.
    app = await launch({ env: { GSETTINGS_BACKEND: 'memory' } });
    ui = new AppPage(app.page);
    await ui.go('task');
  });

  afterAll(async () => await app?.close());

  /** What it prints; nothing if it finds nothing. */
  async function xdotool(...args: string[]): Promise<string> {
    const { stdout } = await run('xdotool', args, { timeout: 10_000 }).catch(() => ({ stdout: '' }));
    return stdout.trim();
  }

  const findDialog = () => xdotool('search', '--onlyvisible', '--name', TEXTS.dialogs.dataset);

  /** Opens the dialog and gives it the keys, which on a bare screen no window manager does. */
  async function openDialog(): Promise<void> {
    await ui.content.getByRole('button', { name: taskTexts.openFile }).first().click();
    await expect.poll(findDialog, { timeout: 20_000 }).toMatch(/^\d+$/);
    const dialog = await findDialog();
    const focused = async () => {
      await xdotool('windowfocus', dialog);
      return await xdotool('getwindowfocus');
    };
    await expect.poll(focused, { timeout: 10_000 }).toBe(dialog);
  }

  test('a dataset is chosen by typing its path', async () => {
    await openDialog();
    const dataset = sampleTask.replace('arithmetic', 'tracking');
    // GTK's completion of paths is upset by keys that come faster than people type.
    await xdotool('type', '--delay', '60', dataset);
    await xdotool('key', 'Return');
    await ui.content.getByRole('heading', { name: 'tracking', level: 1 }).waitFor({ timeout: 20_000 });
    await expect.poll(async () => (await app.ask('workspace.get')).task?.dataset).toBe(dataset);
  });

  test('Escape changes nothing', async () => {
    await openDialog();
    await xdotool('key', 'Escape');
    await ui.content.getByRole('heading', { name: 'tracking', level: 1 }).waitFor();
    expect(app.errors).toEqual([]);
  });
});
