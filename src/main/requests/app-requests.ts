/** Requests about the app itself: what it is, its settings, the user's choices, its folders. */
import { app } from 'electron';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { appRequests } from '../../shared/app.js';
import type { Handlers } from '../../shared/router.js';
import { BUILD } from '../app-files.js';
import { sampleTasks } from '../folders.js';
import { HOMEPAGE, openHomepage, openOwnFolder } from '../outside.js';
import { TEXTS } from '../texts.js';
import { choosePath } from './choose-path.js';
import type { Parts } from './parts.js';

export function appHandlers(parts: Parts): Handlers<keyof typeof appRequests> {
  const { store, folders, log, window, changeSettings } = parts;
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
    'app.openFolder': async ({ folder }) => await openOwnFolder(folder, parts),
    'app.openHomepage': openHomepage,
    'app.notices': async () => await readFile(path.join(BUILD, 'notices.txt'), 'utf8'),
    'settings.get': () => store.settings,
    'settings.set': changeSettings,
    'settings.chooseFolder': async ({ setting }) =>
      await choosePath(window, {
        title: TEXTS.dialogs.settingsFolder,
        properties: ['openDirectory', 'createDirectory'],
        defaultPath: store.settings[setting],
      }),
    'workspace.get': () => store.workspace,
    'workspace.set': (change) => store.changeWorkspace(change),
  };
}
