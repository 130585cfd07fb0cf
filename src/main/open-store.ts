/** The app's memory on disk, with what is chosen at the first start. */
import Store from 'electron-store';
import { sampleTasks, type Folders } from './folders.js';
import { FIRST_JOB } from '../shared/job-presets.js';
import { AppStore } from './store.js';

export function openStore({ sample }: Folders): AppStore {
  const storage = new Store({ name: 'hopscotch', clearInvalidConfig: true });
  return new AppStore(storage as unknown as Map<string, unknown>, {
    model: { model: sample },
    task: { dataset: sampleTasks(sample)[0]!.path },
    job: FIRST_JOB,
  });
}
