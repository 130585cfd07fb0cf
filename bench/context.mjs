/** What benchmarks give every job: a store and a cache of their own under .cache/bench. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunStore, jobContext } from '../dist/engine/index.js';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const sample = path.join(root, 'assets', 'sample');
export const cache = path.join(root, '.cache', 'bench');

/** @param given what differs from a job's defaults, such as `device` and `on` */
export function benchContext(given = {}) {
  return jobContext({ store: new RunStore(path.join(cache, 'runs')), cache, ...given });
}
