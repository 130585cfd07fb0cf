/** Requests of step 1: choosing a model, and those that were used or found before. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { KnownModel, modelRequests } from '../../shared/model.js';
import type { Handlers } from '../../shared/router.js';
import { foundModels } from '../found-models/index.js';
import type { Folders } from '../folders.js';
import type { AppStore } from '../store.js';
import { TEXTS } from '../texts.js';
import { choosePath } from './choose-path.js';
import type { Parts } from './parts.js';
import { passOn } from './pass-on.js';

const DIALOGS = {
  folder: { title: TEXTS.dialogs.modelFolder, properties: ['openDirectory'] },
  file: {
    title: TEXTS.dialogs.modelFile,
    properties: ['openFile'],
    filters: [{ name: TEXTS.dialogs.onnxFiles, extensions: ['onnx', 'gguf'] }],
  },
} satisfies Record<string, Electron.OpenDialogOptions>;

export function modelHandlers({ store, folders, desk, window }: Parts): Handlers<keyof typeof modelRequests> {
  return {
    'model.choose': async ({ what }) => await choosePath(window, DIALOGS[what]),
    ...passOn(desk, 'model.look', 'model.stop'),
    'model.open': async (choice) => {
      const description = await desk.ask('model.open', choice);
      const { model, modelFile, name, family, fileBytes } = description;
      store.addRecentModel({ model, modelFile, name, family, bytes: fileBytes });
      return description;
    },
    'model.recent': () => recentModels(store, folders),
    'model.forget': (choice) => {
      store.forgetModel(choice);
      return recentModels(store, folders);
    },
    'model.found': () => foundModels(store.settings.huggingFaceCache),
  };
}

/** The sample is always among them. */
function recentModels(store: AppStore, { sample }: Folders): KnownModel[] {
  const used = store.recentModels.map((model) => ({
    ...model,
    exists: existsSync(model.model),
    isSample: path.resolve(model.model) === path.resolve(sample),
  }));
  if (used.some(({ isSample }) => isSample)) return used;
  return [...used, { model: sample, name: path.basename(sample), exists: true, isSample: true }];
}
