/** Language models in a Hugging Face cache: models--OWNER--NAME/snapshots/REVISION. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { KnownModel } from '../../shared/model.js';
import { filesIn, foldersIn, ggufBytes, ggufFilesIn, jsonObjectIn } from './listing.js';

/** @returns by name, of each model's newest snapshot: the folder, where that is a model, else each GGUF file in it */
export function cachedModels(cache: string): KnownModel[] {
  return foldersIn(cache)
    .filter((name) => name.startsWith('models--'))
    .flatMap((name) => newestModels(path.join(cache, name, 'snapshots'), name.slice(8).split('--').join('/')))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

function newestModels(snapshots: string, name: string): KnownModel[] {
  const newestFirst = foldersIn(snapshots)
    .map((revision) => path.join(snapshots, revision))
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return newestFirst.map((folder) => modelsIn(folder, name)).find((models) => models.length > 0) ?? [];
}

function modelsIn(folder: string, name: string): KnownModel[] {
  const weights = weightFiles(folder);
  if (weights.length > 0 && isTextModel(folder)) {
    const family = jsonObjectIn(path.join(folder, 'config.json'))?.model_type;
    return [
      {
        model: folder,
        name,
        bytes: weights.reduce((sum, file) => sum + statSync(file).size, 0),
        family: typeof family === 'string' ? family : undefined,
        exists: true,
        isSample: false,
        place: 'hugging-face',
      },
    ];
  }
  return ggufFilesIn(folder).map((file) => ({
    model: path.join(folder, file),
    name: `${name.split('/')[0]}/${file.replace(/\.gguf$/i, '')}`,
    bytes: ggufBytes(folder, file),
    exists: true,
    isSample: false,
    place: 'hugging-face',
  }));
}

/** What Hopscotch does not open is not offered: models of pictures, of sentences' likeness, half downloaded ones. */
function isTextModel(folder: string): boolean {
  if (!existsSync(path.join(folder, 'tokenizer.json'))) return false;
  const config = jsonObjectIn(path.join(folder, 'config.json'));
  if (!config || !Array.isArray(config.architectures)) return existsSync(path.join(folder, 'config.json'));
  return config.architectures.some((name) => /For(Causal|Text)LM$|LMHeadModel$/.test(String(name)));
}

/** The largest ONNX file, since a folder's others are variants of it; else all safetensors files, which are one model. */
function weightFiles(folder: string): string[] {
  const present = (places: string[], ending: string) =>
    places.flatMap((place) =>
      filesIn(place)
        .filter((name) => name.endsWith(ending))
        .map((name) => path.join(place, name))
        .filter((file) => !isPointer(file)),
    );
  const onnx = present([folder, path.join(folder, 'onnx')], '.onnx');
  if (onnx.length > 0) return onnx.toSorted((a, b) => statSync(b).size - statSync(a).size).slice(0, 1);
  return present([folder], '.safetensors');
}

/** A Git-LFS pointer: a note of a few lines in place of the file. */
function isPointer(file: string): boolean {
  return statSync(file).size < 1024 && readFileSync(file, 'latin1').startsWith('version https://git-lfs');
}
