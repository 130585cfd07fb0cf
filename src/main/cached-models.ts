/** Language models with ONNX files in a Hugging Face cache: models--OWNER--NAME/snapshots/REVISION. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { KnownModel } from '../shared/model.js';

/** @returns one entry a model, by name; its newest snapshot that has an ONNX file, a tokenizer and a text decoder's config */
export function cachedModels(cache: string): KnownModel[] {
  return foldersIn(cache)
    .filter((name) => name.startsWith('models--'))
    .flatMap((name) => {
      const snapshot = newestSnapshot(path.join(cache, name, 'snapshots'));
      return snapshot === undefined ? [] : [knownModelAt(snapshot, name.slice(8).split('--').join('/'))];
    })
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

function newestSnapshot(folder: string): string | undefined {
  return foldersIn(folder)
    .map((name) => path.join(folder, name))
    .filter((snapshot) => isUsable(snapshot) && onnxFilesOf(snapshot).length > 0)
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

/** What Hopscotch does not open is not offered: models of pictures, of sentences' likeness, half downloaded ones. */
function isUsable(snapshot: string): boolean {
  if (!existsSync(path.join(snapshot, 'tokenizer.json'))) return false;
  const { architectures } = configOf(snapshot) ?? {};
  if (!Array.isArray(architectures)) return existsSync(path.join(snapshot, 'config.json'));
  return architectures.some((name) => /For(Causal|Text)LM$|LMHeadModel$/.test(String(name)));
}

function knownModelAt(folder: string, name: string): KnownModel {
  const files = onnxFilesOf(folder);
  const bytes = Math.max(...files.map((file) => statSync(file).size));
  return { model: folder, name, bytes, family: familyOf(folder), exists: true, isSample: false };
}

/** The model_type of a folder's config.json. */
function familyOf(folder: string): string | undefined {
  const family = configOf(folder)?.model_type;
  return typeof family === 'string' ? family : undefined;
}

function configOf(folder: string): { model_type?: unknown; architectures?: unknown } | undefined {
  try {
    const config = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')) as unknown;
    return typeof config === 'object' && config !== null ? config : undefined;
  } catch {
    return undefined;
  }
}

function onnxFilesOf(folder: string): string[] {
  return [folder, path.join(folder, 'onnx')].flatMap((place) => {
    try {
      return readdirSync(place)
        .filter((name) => name.endsWith('.onnx'))
        .map((name) => path.join(place, name))
        .filter((file) => existsSync(file) && !isPointer(file));
    } catch {
      return [];
    }
  });
}

/** A Git-LFS pointer: a note of a few lines in place of the file. */
function isPointer(file: string): boolean {
  return statSync(file).size < 1024 && readFileSync(file, 'latin1').startsWith('version https://git-lfs');
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => statSync(path.join(folder, name)).isDirectory());
  } catch {
    return [];
  }
}
