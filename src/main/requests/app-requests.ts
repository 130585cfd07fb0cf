/** Requests about the app itself: its settings, the user's choices, its folders. */
import { app, dialog, shell, type BrowserWindow } from 'electron';
import os from 'node:os';
import type { Handlers } from '../../shared/router.js';
import { sampleTasks, type Folders } from '../folders.js';
import type { Log } from '../log.js';
import type { AppStore } from '../store.js';
import { TEXTS } from '../texts.js';
import type { AppSettings } from '../../shared/app.js';
import type { appRequests } from '../../shared/app.js';

export const HOMEPAGE = 'https://arxiv.org/abs/2506.03303';

export interface AppContext {
  store: AppStore;
  folders: Folders;
  log: Log;
  window: () => BrowserWindow | undefined;
  onSettings(settings: AppSettings): void;
}

export function appHandlers({
  store,
  folders,
  log,
  window,
  onSettings,
}: AppContext): Handlers<keyof typeof appRequests> {
  return {
    'app.info': () => ({
      name: app.name,
      version: app.getVersion(),
      platform: process.platform,
      architecture: process.arch,
      versions: {
        electron: process.versions.electron,
        chromium: process.versions.chrome,
        node: process.versions.node,
      },
      processors: os.availableParallelism(),
      memoryBytes: os.totalmem(),
      folders: { runs: folders.runs, cache: folders.cache, logs: log.folder },
      sample: { model: folders.sample, tasks: sampleTasks(folders.sample) },
      homepage: HOMEPAGE,
    }),
    'app.log': ({ level, message }) => log.write(level, `page: ${message}`),
    'app.openFolder': async ({ folder }) => {
      await shell.openPath(folder === 'runs' ? folders.runs : log.folder);
    },
    'app.openHomepage': async () => await shell.openExternal(HOMEPAGE),
    'settings.get': () => store.settings,
    'settings.set': (change) => {
      const settings = store.changeSettings(change);
      onSettings(settings);
      return settings;
    },
    'settings.chooseFolder': async ({ setting }) =>
      await choosePath(window(), {
        title: TEXTS.dialogs.settingsFolder,
        properties: ['openDirectory', 'createDirectory'],
        ...(store.settings[setting] === undefined ? {} : { defaultPath: store.settings[setting] }),
      }),
    'workspace.get': () => store.workspace,
    'workspace.set': (change) => store.changeWorkspace(change),
  };
}

/** A dialog for one path; none if the user cancelled. */
export async function choosePath(
  window: BrowserWindow | undefined,
  options: Electron.OpenDialogOptions,
): Promise<{ path?: string }> {
  const { filePaths } = await (window
    ? dialog.showOpenDialog(window, options)
    : dialog.showOpenDialog(options));
  return filePaths[0] === undefined ? {} : { path: filePaths[0] };
}
