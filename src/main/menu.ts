/** The menu with each platform's usual items and keys. */
import { Menu, app, type MenuItemConstructorOptions } from 'electron';
import type { EventPayload } from '../shared/contract.js';
import { STEPS, STEP_NAMES } from '../shared/steps.js';
import { TEXTS } from './texts.js';

export type MenuCommand = EventPayload<'menu.chosen'>['command'];

/** What the items of the menu do. */
export interface MenuActions {
  /** Something that the page does. */
  choose(command: MenuCommand): void;
  zoom(change: 'in' | 'out' | 'reset'): void;
  openFolder(folder: 'runs' | 'logs'): void;
  openHomepage(): void;
}

const text = TEXTS.menu;
const isMac = process.platform === 'darwin';

export function setMenu(actions: MenuActions): void {
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [appMenu(actions)] : []),
    fileMenu(actions),
    { role: 'editMenu' },
    stepsMenu(actions),
    viewMenu(actions),
    { role: 'windowMenu' },
    helpMenu(actions),
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

function item(label: string, accelerator: string | undefined, click: () => void): MenuItemConstructorOptions {
  return { label, click, accelerator };
}

function appMenu({ choose }: MenuActions): MenuItemConstructorOptions {
  return {
    label: app.name,
    submenu: [
      { role: 'about' },
      { type: 'separator' },
      item(text.settings, 'CommandOrControl+,', () => choose('settings')),
      { type: 'separator' },
      { role: 'services' },
      { type: 'separator' },
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      { type: 'separator' },
      { role: 'quit' },
    ],
  };
}

function fileMenu({ choose }: MenuActions): MenuItemConstructorOptions {
  return {
    label: text.file,
    submenu: [
      item(text.openModel, 'CommandOrControl+O', () => choose('open-model')),
      item(text.openModelFile, 'CommandOrControl+Shift+O', () => choose('open-model-file')),
      item(text.openTask, 'CommandOrControl+D', () => choose('open-task')),
      { type: 'separator' },
      ...(isMac
        ? [{ role: 'close' } as const]
        : [
            item(text.settings, 'CommandOrControl+,', () => choose('settings')),
            { type: 'separator' } as const,
            { role: 'quit' } as const,
          ]),
    ],
  };
}

function stepsMenu({ choose }: MenuActions): MenuItemConstructorOptions {
  return {
    label: text.steps,
    submenu: [
      ...STEPS.map((step, place) =>
        item(STEP_NAMES[step], `CommandOrControl+${place + 1}`, () => choose(step)),
      ),
      { type: 'separator' },
      item(STEP_NAMES.runs, `CommandOrControl+${STEPS.length + 1}`, () => choose('runs')),
      { type: 'separator' },
      item(text.slim, 'CommandOrControl+Enter', () => choose('start-job')),
      item(text.stop, 'CommandOrControl+.', () => choose('stop-job')),
    ],
  };
}

function viewMenu({ zoom }: MenuActions): MenuItemConstructorOptions {
  return {
    label: text.view,
    submenu: [
      item(text.zoomIn, 'CommandOrControl+Plus', () => zoom('in')),
      { ...item(text.zoomIn, 'CommandOrControl+=', () => zoom('in')), visible: false },
      item(text.zoomOut, 'CommandOrControl+-', () => zoom('out')),
      item(text.actualSize, 'CommandOrControl+0', () => zoom('reset')),
      { type: 'separator' },
      { role: 'togglefullscreen' },
      ...(app.isPackaged
        ? []
        : [{ type: 'separator' } as const, { role: 'reload' } as const, { role: 'toggleDevTools' } as const]),
    ],
  };
}

function helpMenu({ openFolder, openHomepage }: MenuActions): MenuItemConstructorOptions {
  return {
    role: 'help',
    label: text.help,
    submenu: [
      item(text.homepage, undefined, openHomepage),
      item(text.runsFolder, undefined, () => openFolder('runs')),
      item(text.logs, undefined, () => openFolder('logs')),
      ...(isMac
        ? []
        : [{ type: 'separator' } as const, item(text.about, undefined, () => app.showAboutPanel())]),
    ],
  };
}
