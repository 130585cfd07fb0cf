/** What the handlers of the page's requests work with. */
import type { AppWindow } from '../app-window.js';
import type { ComparisonTracker } from '../comparison-tracker.js';
import type { EngineHost } from '../engine-host/engine-host.js';
import type { Estimates } from '../estimates.js';
import type { Folders } from '../folders.js';
import type { JobTracker } from '../job-tracker.js';
import type { Log } from '../log.js';
import type { RunList } from '../run-list.js';
import type { ChangeSettings } from '../setting-effects.js';
import type { AppStore } from '../store.js';

export interface Parts {
  store: AppStore;
  folders: Folders;
  log: Log;
  window: AppWindow;
  /** The engine's process that answers at once. */
  desk: EngineHost;
  jobs: JobTracker;
  comparisons: ComparisonTracker;
  estimates: Estimates;
  runs: RunList;
  changeSettings: ChangeSettings;
}
