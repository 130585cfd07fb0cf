/** A model as people keep it: a folder with an ONNX file (at its top or in onnx/), configs and a tokenizer. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../errors.js';

export interface ModelFolder {
  /** Absolute path of the folder that holds config.json and the tokenizer. */
  folder: string;
  /** The ONNX file, relative to the folder, with forward slashes. */
  modelFile: string;
  /** Absolute path of the ONNX file. */
  modelPath: string;
  /** config.json, or an empty object where there is none. */
  config: Record<string, unknown>;
  generationConfig: Record<string, unknown>;
}

/**
 * Finds the ONNX file of a model.
 * @param location a model folder, its onnx/ folder, or an ONNX file in either
 * @param file which ONNX file of the folder, where there are several (relative to the folder)
 * @throws UserError if there is no ONNX file, or several and none is `model.onnx`
 */
export function openModelFolder(location: string, file?: string): ModelFolder {
  const full = path.resolve(location);
  const status = statSync(full, { throwIfNoEntry: false });
  if (!status) throw new UserError(`There is no model at ${location}; check the path.`);
  if (status.isFile()) return describe(folderOf(full), full);
  const folder =
    path.basename(full) === 'onnx' && !existsSync(path.join(full, 'config.json')) ? path.dirname(full) : full;
  if (file !== undefined) {
    const chosen = path.resolve(folder, file);
    if (!chosen.startsWith(folder + path.sep) || !existsSync(chosen)) {
      throw new UserError(`There is no file ${file} in ${folder}; it has ${listOf(onnxFiles(folder))}.`);
    }
    return describe(folder, chosen);
  }
  const found = onnxFiles(folder);
  const preferred = ['onnx/model.onnx', 'model.onnx'].find((name) => found.includes(name)) ?? onlyOne(found);
  if (preferred === undefined) {
    throw new UserError(
      found.length === 0
        ? `There is no ONNX file in ${folder} or its onnx folder; choose a folder with a model.onnx.`
        : `${folder} holds several ONNX files (${listOf(found)}); say which one with --model-file.`,
    );
  }
  return describe(folder, path.join(folder, preferred));
}

/** ONNX files at the folder's top and in its onnx/ folder, relative to the folder. */
export function onnxFiles(folder: string): string[] {
  const list = (sub: string) =>
    existsSync(path.join(folder, sub))
      ? readdirSync(path.join(folder, sub)).filter((name) => name.endsWith('.onnx'))
      : [];
  return [...list('.'), ...list('onnx').map((name) => `onnx/${name}`)].toSorted();
}

function onlyOne(files: readonly string[]): string | undefined {
  return files.length === 1 ? files[0] : undefined;
}

function listOf(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  return files.length > 5 ? `${shown} and ${files.length - 5} more` : shown || 'none';
}

function folderOf(modelPath: string): string {
  const parent = path.dirname(modelPath);
  const above = path.dirname(parent);
  const isSubfolder =
    !existsSync(path.join(parent, 'config.json')) && existsSync(path.join(above, 'config.json'));
  return isSubfolder ? above : parent;
}

function describe(folder: string, modelPath: string): ModelFolder {
  return {
    folder,
    modelFile: path.relative(folder, modelPath).replaceAll(path.sep, '/'),
    modelPath,
    config: readJson(path.join(folder, 'config.json')),
    generationConfig: readJson(path.join(folder, 'generation_config.json')),
  };
}

function readJson(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {};
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof data === 'object' && data !== null && !Array.isArray(data))
      return data as Record<string, unknown>;
  } catch {
    // Reported below, as any other content that is not an object.
  }
  throw new UserError(`${file} is not valid JSON; download the model again.`);
}
