import type { AppSettings, Workspace } from '../../../src/shared/app.js';
import { LONG_DATASET, LONG_MODEL, RUN, SAMPLE_MODEL, TASKS, taskPath } from './places.js';
import type { SceneOptions } from './scenes.js';
import type { Emit, Handlers } from './handlers.js';

type Names = `app.${string}` | `settings.${string}` | `workspace.${string}`;

export function appHandlers(
  { scene }: SceneOptions,
  emit: Emit,
): Pick<Handlers, Extract<keyof Handlers, Names>> {
  let settings: AppSettings = {
    appearance: 'system',
    zoom: 1,
    notifications: true,
    keepAwake: true,
    engineProcess: 'electron',
  };
  let workspace = startingWorkspace(scene);
  return {
    'app.info': () => ({
      name: 'Hopscotch',
      version: '0.1.0',
      platform: 'linux',
      architecture: 'x64',
      versions: { electron: '45.4.1', chromium: '156.0.8078.79', node: '24.11.0' },
      processors: 8,
      memoryBytes: 16_600_000_000,
      folders: {
        runs: '/home/ada/.hopscotch/runs',
        cache: '/home/ada/.hopscotch/cache',
        logs: '/home/ada/.hopscotch/logs',
      },
      sample: { model: SAMPLE_MODEL, tasks: TASKS.map((name) => ({ name, path: taskPath(name) })) },
      homepage: 'https://hopscotch.example',
    }),
    'app.log': () => undefined,
    'app.notices': () => 'Hopscotch holds the work of others, with thanks.',
    'app.openFolder': () => undefined,
    'app.openHomepage': () => undefined,
    'settings.get': () => settings,
    'settings.set': (change) => {
      settings = { ...settings, ...change };
      emit('settings.changed', settings);
      return settings;
    },
    'settings.chooseFolder': () => ({ path: '/mnt/models/exports' }),
    'workspace.get': () => workspace,
    'workspace.set': (change) => (workspace = { ...workspace, ...change }),
  };
}

function startingWorkspace(scene: SceneOptions['scene']): Workspace {
  const start: Workspace = { step: 'model', job: {}, prompts: [] };
  if (scene === 'empty') return start;
  if (scene === 'hundred-layers')
    return { ...start, model: { model: LONG_MODEL }, task: { dataset: LONG_DATASET } };
  const model = { model: scene === 'broken-model' ? '/home/ada/models/bert-base-uncased' : SAMPLE_MODEL };
  const datasets: Partial<Record<SceneOptions['scene'], string>> = {
    'columns-needed': '/home/ada/faq.csv',
    'multiple-choice': '/home/ada/quiz.csv',
  };
  const chosen: Workspace = {
    ...start,
    model,
    task: { dataset: datasets[scene] ?? taskPath('arithmetic') },
    // As the recorded job had it.
    job: { budget: { kind: 'blocks', blocks: 6 } },
  };
  return ['finished', 'few-points'].includes(scene) ? { ...chosen, run: RUN, point: 3 } : chosen;
}
