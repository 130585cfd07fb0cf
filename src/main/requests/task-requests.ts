/** Requests of step 2: choosing a dataset, and those that were used before. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { FORMAT_OF_EXTENSION } from '../../schema/columns.js';
import type { Handlers } from '../../shared/router.js';
import type { taskRequests } from '../../shared/task.js';
import { sampleTasks } from '../folders.js';
import { savePastedPrompts } from '../pasted-prompts.js';
import { TEXTS } from '../texts.js';
import { choosePath } from './choose-path.js';
import type { Parts } from './parts.js';

export function taskHandlers({ store, folders, desk, window }: Parts): Handlers<keyof typeof taskRequests> {
  return {
    'task.choose': async () =>
      await choosePath(window, {
        title: TEXTS.dialogs.dataset,
        properties: ['openFile'],
        filters: [
          {
            name: TEXTS.dialogs.datasets,
            extensions: [...FORMAT_OF_EXTENSION.keys()].map((extension) => extension.slice(1)),
          },
          { name: TEXTS.dialogs.allFiles, extensions: ['*'] },
        ],
      }),
    'task.paste': ({ text }) => savePastedPrompts(folders.pasted, text),
    'task.open': async (asked) => {
      const preview = await desk.ask('task.open', asked);
      store.addRecentTask(asked.dataset);
      return preview;
    },
    'task.recent': () => {
      const samples = sampleTasks(folders.sample).map((task) => task.path);
      const others = samples.filter((sample) => !store.recentTasks.includes(sample));
      return [...store.recentTasks, ...others].map((dataset) => ({
        dataset,
        name: path.parse(dataset).name,
        exists: existsSync(dataset),
        isSample: samples.includes(dataset),
      }));
    },
  };
}
