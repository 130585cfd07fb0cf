import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TEXTS } from '../../src/main/texts.js';
import { AppPage } from './pages/app-page.js';
import { NO_DESKTOP, hasDesktop, startDesktop, type Desktop } from './support/desktop.js';
import { electronProgram } from './support/electron-program.js';
import { launch, type RunningApp } from './support/launch.js';
import { sampleWorkspace } from './support/sample-job.js';

const possible = electronProgram() !== undefined && hasDesktop();

describe.skipIf(!possible)(`what the desktop is told${possible ? '' : ` (skipped: ${NO_DESKTOP})`}`, () => {
  let desktop: Desktop;
  let app: RunningApp;

  beforeEach(async () => {
    desktop = await startDesktop();
    app = await launch({
      workspace: sampleWorkspace({ responses: 'file', budget: { kind: 'blocks', blocks: 1 }, answerRows: 1 }),
      env: desktop.env,
    });
  });

  afterEach(async () => {
    await app?.close();
    desktop?.stop();
  });

  test('a job that ends while the window is away: the notification says so, a click brings the window back', async () => {
    const ui = new AppPage(app.page);
    await expect.poll(() => ui.slimButton.isEnabled(), { timeout: 20_000 }).toBe(true);
    await ui.slimButton.click();
    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.hide());
    await expect.poll(() => desktop.shown(), { timeout: 120_000 }).toBe(1);

    await desktop.click();
    const isVisible = () =>
      app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.isVisible());
    await expect.poll(isVisible, { timeout: 5_000 }).toBe(true);
    expect(await desktop.clear()).toEqual([
      { title: TEXTS.finished.title, body: TEXTS.finished.body('sample', 1) },
    ]);
  });
});
