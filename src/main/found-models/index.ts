/** Models that lie on this machine already, as other programs have downloaded them; each can be opened as it is. */
import os from 'node:os';
import path from 'node:path';
import type { KnownModel } from '../../shared/model.js';
import { huggingFaceCache } from '../folders.js';
import { cachedModels } from './hugging-face.js';
import { lmStudioModels } from './lm-studio.js';
import { ollamaModels } from './ollama.js';

/** @param cache the Hugging Face cache, where it is not the usual one */
export function foundModels(cache = huggingFaceCache(), home = os.homedir()): KnownModel[] {
  return [
    ...cachedModels(cache),
    ...[path.join(home, '.lmstudio', 'models'), path.join(home, '.cache', 'lm-studio', 'models')].flatMap(
      lmStudioModels,
    ),
    ...ollamaModels(process.env.OLLAMA_MODELS ?? path.join(home, '.ollama', 'models')),
  ];
}
