/** Where runs and cached answers are kept, and the context that jobs of the command line share. */
import path from 'node:path';
import envPaths from 'env-paths';
import { jobContext, RunStore, type JobContext } from '../engine/index.js';

const paths = envPaths('hopscotch', { suffix: '' });

/** HOPSCOTCH_HOME, if set, holds everything; else the system's folders for application data and caches are used. */
const home = process.env.HOPSCOTCH_HOME;

export function runStore(): RunStore {
  return new RunStore(home ? path.join(home, 'runs') : path.join(paths.data, 'runs'));
}

export function commandContext(given: Partial<JobContext> = {}): JobContext {
  return jobContext({
    store: runStore(),
    cache: home ? path.join(home, 'cache') : paths.cache,
    ...given,
  });
}
