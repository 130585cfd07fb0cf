/** Entry of the app's main process: puts the parts together. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BrowserWindow, app, dialog, ipcMain, nativeTheme, shell } from 'electron';
import Store from 'electron-store';
import type { EventName, EventPayload } from '../shared/contract.js';
import { IPC } from '../shared/ipc.js';
import { registerAppScheme, serveApp } from './app-protocol.js';
import { devServer } from './app-address.js';
import { serveFrom } from './dev-page.js';
import { EngineHost, type EngineHostListener } from './engine-host/engine-host.js';
import { nodeChannel } from './engine-host/node-channel.js';
import { utilityChannel } from './engine-host/utility-channel.js';
import { appFolders, sampleTasks } from './folders.js';
import { JobAttention } from './job-attention.js';
import { FIRST_JOB } from '../shared/job-presets.js';
import { JobTracker, type Emit } from './job-tracker.js';
import { Log } from './log.js';
import { setMenu } from './menu.js';
import { HOMEPAGE, appHandlers } from './requests/app-requests.js';
import { settledRuns, stepHandlers } from './requests/step-requests.js';
import { Router } from '../shared/router.js';
import { isOwnPage, restrictContents, restrictPages } from './security.js';
import { handledInstallerStart } from './squirrel-start.js';
import { AppStore } from './store.js';
import { TEXTS } from './texts.js';
import { openWindow } from './window.js';

const build = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const resources = app.isPackaged ? process.resourcesPath : path.join(path.dirname(build), 'assets');
const home = process.env.HOPSCOTCH_HOME;
if (home) app.setPath('userData', path.join(home, 'app'));

registerAppScheme();
restrictContents();
// Chromium refuses to run its sandbox as root, and enableSandbox() would override --no-sandbox.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();

// Windows shows notifications only of programs that it knows by the name the installer gave them.
if (process.platform === 'win32') app.setAppUserModelId('com.squirrel.Hopscotch.hopscotch');
if (handledInstallerStart() || !app.requestSingleInstanceLock()) app.quit();
else void app.whenReady().then(start);

function start(): void {
  const folders = appFolders(resources);
  const log = new Log(path.join(app.getPath('userData'), 'logs'));
  const store = new AppStore(
    new Store({ name: 'hopscotch', clearInvalidConfig: true }) as unknown as Map<string, unknown>,
    {
      model: { model: folders.sample },
      task: { dataset: sampleTasks(folders.sample)[0]!.path },
      job: FIRST_JOB,
    },
  );
  let window: BrowserWindow | undefined;
  let isQuitting = false;

  const emit: Emit = (name, payload) => {
    if (window && !window.isDestroyed()) window.webContents.send(IPC.event, name, payload);
  };
  const engineFolder = path.join(build, 'engine');
  const engineStart = { folders, exportFolder: app.getPath('documents') };
  const startEngine = (name: string) => () =>
    store.settings.engineProcess === 'node'
      ? nodeChannel(engineFolder.replace('app.asar', 'app.asar.unpacked'), engineStart)
      : utilityChannel(engineFolder, name, engineStart);
  const listener = (onCrash: () => void): EngineHostListener => ({
    onEvent: (name, payload) => onEngineEvent(name, payload),
    onJobStopped: () => jobs.onStopped(),
    onCrash,
    log: (level, message, error) => log.write(level, message, error),
  });

  // Two processes of the same engine: while one calibrates, the other still answers at once.
  const desk = new EngineHost(
    startEngine('Hopscotch engine'),
    listener(() => emit('engine.crashed', { message: TEXTS.crashed })),
  );
  const worker = new EngineHost(
    startEngine('Hopscotch calibration'),
    listener(() => jobs.onCrash()),
  );
  const attention = new JobAttention(
    () => window,
    () => store.settings,
  );
  const jobs: JobTracker = new JobTracker(worker, (name, payload) => {
    emit(name, payload);
    if (name === 'job.changed') onJobChanged();
  });

  function onJobChanged(): void {
    attention.onBusy(jobs.isBusy);
    desk
      .ask('runs.list', undefined)
      .then((runs) => emit('runs.changed', settledRuns(runs, jobs)))
      .catch((error: unknown) => log.write('warning', 'The list of runs could not be read', error));
  }

  function onEngineEvent<N extends EventName>(name: N, payload: EventPayload<N>): void {
    if (name === 'job.event') {
      const told = payload as EventPayload<'job.event'>;
      jobs.onEvent(told);
      if (told.event.type === 'progress') attention.onProgress(told.event.done, told.event.total);
    } else if (name === 'job.finished') {
      jobs.onFinished(payload as EventPayload<'job.finished'>);
      attention.onFinished(payload as EventPayload<'job.finished'>);
    } else if (name === 'job.failed') {
      jobs.onFailed(payload as EventPayload<'job.failed'>);
      attention.onFailed(payload as EventPayload<'job.failed'>);
    } else {
      emit(name, payload);
    }
  }

  function applySettings(): void {
    const { appearance, zoom } = store.settings;
    nativeTheme.themeSource = appearance;
    window?.webContents.setZoomFactor(zoom);
    emit('settings.changed', store.settings);
  }

  const router = new Router(
    {
      ...appHandlers({ store, folders, log, window: () => window, onSettings: applySettings }),
      ...stepHandlers({ store, folders, engine: desk, jobs, emit, window: () => window }),
    },
    (message, error) => log.write('error', message, error),
  );
  ipcMain.handle(IPC.request, async (event, name: unknown, input: unknown) => {
    if (isOwnPage(event.senderFrame)) return await router.answer(name, input);
    log.write('error', `Refused a message from ${event.senderFrame?.url ?? 'nowhere'}`);
    return { ok: false, failure: { kind: 'refused', message: 'Unknown sender' } };
  });
  ipcMain.on(IPC.fault, (event, message: unknown) => {
    if (isOwnPage(event.senderFrame)) log.write('error', `page: ${String(message).slice(0, 1000)}`);
  });

  setMenu({
    choose: (command) => emit('menu.chosen', { command }),
    zoom: (change) => {
      const { zoom } = store.settings;
      const next = change === 'reset' ? 1 : zoom * (change === 'in' ? 1.1 : 1 / 1.1);
      store.changeSettings({ zoom: Math.min(3, Math.max(0.5, next)) });
      applySettings();
    },
    openFolder: (folder) => void shell.openPath(folder === 'runs' ? folders.runs : log.folder),
    openHomepage: () => void shell.openExternal(HOMEPAGE),
  });
  app.setAboutPanelOptions({
    applicationName: 'Hopscotch',
    applicationVersion: app.getVersion(),
    credits: TEXTS.about,
    copyright: 'MIT licence',
    website: HOMEPAGE,
  });

  function showWindow(): void {
    if (window && !window.isDestroyed()) {
      if (window.isMinimized()) window.restore();
      window.focus();
      return;
    }
    window = openWindow(store, build, path.join(resources, 'icons', 'hopscotch.png'));
    window.on('focus', () => attention.onFocus());
    window.on('close', (event) => {
      if (!jobs.isBusy || isQuitting) return;
      event.preventDefault();
      void askToClose();
    });
    window.on('closed', () => (window = undefined));
    window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
      if (reason === 'clean-exit') return;
      log.write('error', `The page's process ended: ${reason}, code ${exitCode}`);
      if (!isQuitting) window?.reload();
    });
  }

  async function askToClose(): Promise<void> {
    const { response } = await dialog.showMessageBox(window!, {
      type: 'question',
      message: TEXTS.closing.message,
      detail: TEXTS.closing.detail,
      buttons: [TEXTS.closing.keep, TEXTS.closing.stop],
      defaultId: 0,
      cancelId: 0,
      noLink: true,
    });
    if (response !== 1) return;
    await jobs
      .stop('stopped')
      .catch((error: unknown) => log.write('error', 'The job could not be stopped', error));
    await jobs.whenIdle();
    isQuitting = true;
    app.quit();
  }

  app.on('second-instance', showWindow);
  app.on('activate', showWindow);
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin' || isQuitting) app.quit();
  });
  app.on('quit', () => {
    desk.end();
    worker.end();
  });
  process.on('unhandledRejection', (error) => log.write('error', 'Unhandled', error));

  nativeTheme.themeSource = store.settings.appearance;
  restrictPages();
  const server = devServer(app.isPackaged, process.env);
  if (server === undefined) serveApp(path.join(build, 'renderer'));
  else serveFrom(server);
  desk.warmUp();
  showWindow();
}
