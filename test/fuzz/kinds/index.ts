/** All that is fuzzed. */
import type { Kind } from '../kind.js';
import { datasets } from './datasets.js';
import { imports } from './imports.js';
import { kept } from './kept.js';
import { modelFolders } from './model-folders.js';
import { models } from './models.js';

export const KINDS: readonly Kind[] = [...models, ...imports, ...datasets, ...modelFolders, ...kept];
