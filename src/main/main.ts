/** Entry of the app's main process: a list of what is set up, each in a file of its own. */
import path from 'node:path';
import { app } from 'electron';
import { RESOURCES } from './app-files.js';
import { AppWindow } from './app-window.js';
import { settleBeforeReady } from './before-ready.js';
import { setUpClosing } from './closing.js';
import { openEngines } from './engine-host/engines.js';
import { Events } from './events.js';
import { appFolders } from './folders.js';
import { JobAttention } from './job-attention.js';
import { Log } from './log.js';
import { setMenu } from './menu.js';
import { menuActions } from './menu-actions.js';
import { openStore } from './open-store.js';
import { setUpAboutPanel } from './outside.js';
import { answerPage } from './page-requests.js';
import { requestHandlers } from './requests/index.js';
import { RunList } from './run-list.js';
import { restrictPages } from './security.js';
import { pageServer, servePage } from './serve-page.js';
import { setUpSettings } from './setting-effects.js';
import { handledInstallerStart } from './squirrel-start.js';

settleBeforeReady();
if (handledInstallerStart() || !app.requestSingleInstanceLock()) app.quit();
else void app.whenReady().then(start);

async function start(): Promise<void> {
  const folders = appFolders(RESOURCES);
  const log = new Log(path.join(app.getPath('userData'), 'logs'));
  process.on('unhandledRejection', (error) => log.write('error', 'Unhandled', error));
  const store = openStore(folders);
  const window = new AppWindow(store, log);
  const events = new Events(window.tell);
  const changeSettings = setUpSettings(store, window, events);
  const engines = openEngines({ store, folders, log, events });
  const { desk, jobs, comparisons, estimates, end: endEngines } = engines;
  const runs = new RunList(desk, jobs, events);
  const parts = { store, folders, log, window, desk, jobs, comparisons, estimates, runs, changeSettings };

  runs.follow(log);
  new JobAttention(window, store).follow(events);
  answerPage(requestHandlers(parts), log);
  setMenu(menuActions(parts, events));
  setUpAboutPanel();
  setUpClosing({ window, jobs, log, endEngines });
  await restrictPages(pageServer() !== undefined);
  servePage();

  desk.warmUp();
  comparisons
    .goOn()
    .catch((error: unknown) => log.write('warning', 'An interrupted comparison does not go on', error));
  window.show();
}
