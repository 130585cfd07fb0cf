/** Where runs and cached answers are kept. */
import path from 'node:path';
import envPaths from 'env-paths';
import { RunStore } from '../engine/runs/run-store.js';

const paths = envPaths('hopscotch', { suffix: '' });

/** HOPSCOTCH_HOME, if set, holds everything; else the system's folders for application data and caches are used. */
const home = process.env.HOPSCOTCH_HOME;

export const runsFolder = home ? path.join(home, 'runs') : path.join(paths.data, 'runs');
export const cacheFolder = home ? path.join(home, 'cache') : paths.cache;

export function runStore(): RunStore {
  return new RunStore(runsFolder);
}
