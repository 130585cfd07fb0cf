/** How the app ends: not without a question while a job runs, and not without its engines. */
import { app, dialog, type BrowserWindow } from 'electron';
import type { AppWindow } from './app-window.js';
import type { JobTracker } from './job-tracker.js';
import type { Log } from './log.js';
import { TEXTS } from './texts.js';

export interface ClosingParts {
  window: AppWindow;
  jobs: JobTracker;
  log: Log;
  endEngines(): void;
}

export function setUpClosing({ window, jobs, log, endEngines }: ClosingParts): void {
  let isQuitting = false;

  async function askAndQuit(over: BrowserWindow): Promise<void> {
    if (!(await isStopWanted(over))) return;
    await jobs.stop().catch((error: unknown) => log.write('error', 'The job could not be stopped', error));
    await jobs.whenIdle();
    isQuitting = true;
    app.quit();
  }

  window.mayClose = () => {
    if (!jobs.isBusy || isQuitting) return true;
    void askAndQuit(window.current!);
    return false;
  };
  app.on('second-instance', () => window.show());
  app.on('activate', () => window.show());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin' || isQuitting) app.quit();
  });
  app.on('quit', endEngines);
}

async function isStopWanted(over: BrowserWindow): Promise<boolean> {
  const { keep, stop, message, detail } = TEXTS.closing;
  const { response } = await dialog.showMessageBox(over, {
    type: 'question',
    message,
    detail,
    buttons: [keep, stop],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  return response === 1;
}
