/** Requests of step 6: where the slimmed model goes. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { app, shell } from 'electron';
import { UserError } from '../../schema/errors.js';
import type { exportRequests } from '../../shared/export.js';
import type { Handlers } from '../../shared/router.js';
import { TEXTS } from '../texts.js';
import { chooseNewFile, choosePath } from './choose-path.js';
import type { Parts } from './parts.js';
import { passOn } from './pass-on.js';

export function exportHandlers({
  store,
  desk,
  runs,
  window,
  changeSettings,
}: Parts): Handlers<keyof typeof exportRequests> {
  return {
    ...passOn(desk, 'export.preview', 'report.write'),
    'report.choose': async ({ name }) =>
      await chooseNewFile(window, {
        title: TEXTS.dialogs.report,
        defaultPath: path.join(store.settings.exportFolder ?? app.getPath('documents'), name),
        filters: [{ name: TEXTS.dialogs.reports, extensions: ['html'] }],
      }),
    'export.suggest': async (point) => {
      const suggested = await desk.ask('export.suggest', point);
      return { ...suggested, parent: store.settings.exportFolder ?? suggested.parent };
    },
    'export.choose': async () =>
      await choosePath(window, {
        title: TEXTS.dialogs.exportFolder,
        buttonLabel: TEXTS.dialogs.choose,
        properties: ['openDirectory', 'createDirectory'],
      }),
    'export.write': async (target) => {
      const written = await desk.ask('export.write', target);
      changeSettings({ exportFolder: target.parent });
      await runs.tell();
      return written;
    },
    'export.reveal': ({ folder }) => {
      if (!existsSync(folder)) throw new UserError(`${folder} is not there any more.`);
      shell.showItemInFolder(folder);
    },
  };
}
