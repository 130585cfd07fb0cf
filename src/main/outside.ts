/** What the app opens outside of itself, and what it says about itself to the system. */
import { app, shell } from 'electron';
import type { Folders } from './folders.js';
import type { Log } from './log.js';
import { TEXTS } from './texts.js';

export const HOMEPAGE = 'https://arxiv.org/abs/2506.03303';

export async function openHomepage(): Promise<void> {
  await shell.openExternal(HOMEPAGE);
}

/** Opens one of the app's own folders in the system's file manager. */
export async function openOwnFolder(
  which: 'runs' | 'logs',
  { folders, log }: { folders: Folders; log: Log },
): Promise<void> {
  await shell.openPath(which === 'runs' ? folders.runs : log.folder);
}

export function setUpAboutPanel(): void {
  app.setAboutPanelOptions({
    applicationName: 'Hopscotch',
    applicationVersion: app.getVersion(),
    credits: TEXTS.about,
    copyright: 'MIT licence',
    website: HOMEPAGE,
  });
}
