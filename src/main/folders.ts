/** Where the app finds and keeps things. The command line keeps its runs in the same place. */
import { readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import envPaths from 'env-paths';

export interface Folders {
  runs: string;
  cache: string;
  /** Datasets made of pasted prompts. */
  pasted: string;
  /** The model that comes with the app, with its tasks. */
  sample: string;
}

/**
 * @param resources the folder that holds the assets: the project's, or that of the packaged app
 * @param home holds everything, if given (HOPSCOTCH_HOME); else the system's usual folders do
 */
export function appFolders(resources: string, home = process.env.HOPSCOTCH_HOME): Folders {
  const paths = envPaths('hopscotch', { suffix: '' });
  const data = home ?? paths.data;
  return {
    runs: path.join(data, 'runs'),
    cache: home ? path.join(home, 'cache') : paths.cache,
    pasted: path.join(data, 'pasted'),
    sample: path.join(resources, 'sample'),
  };
}

export function sampleTasks(sample: string): { name: string; path: string }[] {
  const folder = path.join(sample, 'tasks');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .toSorted()
    .map((file) => ({ name: path.parse(file).name, path: path.join(folder, file) }));
}

/** The Hugging Face cache as its own tools find it. */
export function huggingFaceCache(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.HF_HUB_CACHE) return environment.HF_HUB_CACHE;
  const home =
    environment.HF_HOME ??
    path.join(environment.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'huggingface');
  return path.join(home, 'hub');
}
