/** A model as people keep it: a folder with an ONNX file (at its top or in onnx/), configs and a tokenizer. */
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { readConfigFile } from './config-file.js';

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
 * What is taken where nothing is said, in this order: full precision first, and decoders that have a cache, since a model
 * that was slimmed can be quantised afterwards.
 */
const PREFERRED = ['model.onnx', 'decoder_model_merged.onnx', 'model_fp16.onnx'];

/** Optimum's files of before 2023: one for the prompt, one for each token after it, all weights in both. */
const OLD_PAIR = ['decoder_model.onnx', 'decoder_with_past_model.onnx'] as const;

/**
 * Finds the ONNX file of a model.
 * @param location a model folder, its onnx/ folder, or an ONNX file in either
 * @param file which ONNX file of the folder, where there are several: its path in the folder, its name, or what tells it
 *   from others ('q4f16' for onnx/model_q4f16.onnx)
 * @throws UserError if there is no ONNX file, or several and none is one of PREFERRED
 */
export function openModelFolder(location: string, file?: string): ModelFolder {
  const full = path.resolve(location);
  const status = statSync(full, { throwIfNoEntry: false });
  if (!status) throw new UserError(`There is no model at ${location}; check the path.`);
  if (status.isFile()) return describe(folderOf(full), full);
  const folder =
    path.basename(full) === 'onnx' && !existsSync(path.join(full, 'config.json')) ? path.dirname(full) : full;
  const found = onnxFiles(folder);
  if (file !== undefined) {
    const chosen = path.resolve(folder, found.find((name) => isCalled(name, file)) ?? file);
    if (chosen.startsWith(folder + path.sep) && existsSync(chosen)) return describe(folder, chosen);
    throw new UserError(`There is no file ${file} in ${folder}; it has ${listOf(folder, found)}.`);
  }
  const preferred =
    PREFERRED.map((name) => found.find((candidate) => path.posix.basename(candidate) === name)).find(
      (name) => name !== undefined,
    ) ?? onlyOne(found);
  if (preferred === undefined) {
    const [prompt, next] = OLD_PAIR.map((name) => found.find((other) => path.posix.basename(other) === name));
    if (prompt !== undefined && next !== undefined) {
      throw new UserError(
        `${folder} holds a model as an old Optimum wrote it, ${prompt} for prompts and ${next} for each token after them, with all weights in both; export it again with a newer Optimum, which writes a single model.onnx, or take the first of them: it runs without a KV cache.`,
        { inCommands: `--model-file ${prompt}` },
      );
    }
    throw new UserError(
      found.length === 0
        ? `There is no ONNX file in ${folder} or its onnx folder; choose a folder with a model.onnx, or with config.json and safetensors files, or a .gguf file.`
        : `${folder} holds several ONNX files (${listOf(folder, found)}); say which one to take.`,
      found.length === 0 ? {} : { inCommands: '--model-file FILE' },
    );
  }
  return describe(folder, path.join(folder, preferred));
}

/** The other ONNX files of a model's folder, with their sizes, or undefined if there are none. */
export function otherFiles({ folder, modelFile }: ModelFolder): string | undefined {
  const others = onnxFiles(folder).filter((name) => name !== modelFile);
  return others.length === 0 ? undefined : listOf(folder, others);
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

/** 'q4f16', 'model_q4f16', 'model_q4f16.onnx' and 'onnx/model_q4f16.onnx' all mean the same file. */
function isCalled(name: string, wanted: string): boolean {
  const base = path.posix.basename(name);
  const stem = base.slice(0, -'.onnx'.length);
  const asked = path.posix.normalize(wanted.replaceAll(path.sep, '/'));
  return [name, base, stem, stem.replace(/^model_/, '')].includes(asked);
}

/** 'onnx/model_q4.onnx (120 MB)...': sizes with those of the weights beside. */
function listOf(folder: string, files: readonly string[]): string {
  const shown = files.slice(0, 8).map((name) => `${name} (${sizeOf(path.join(folder, name))})`);
  const rest = files.length > 8 ? [`${files.length - 8} more`] : [];
  return [...shown, ...rest].join(', ') || 'none';
}

function sizeOf(file: string): string {
  const parent = path.dirname(file);
  const own = readdirSync(parent).filter(
    (name) => name === path.basename(file) || name.startsWith(`${path.basename(file)}_data`),
  );
  const bytes = own.reduce((sum, name) => sum + statSync(path.join(parent, name)).size, 0);
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`;
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
    config: readIfThere(path.join(folder, 'config.json')),
    generationConfig: readIfThere(path.join(folder, 'generation_config.json')),
  };
}

/** A link that leads nowhere is there, and cannot be read. */
function readIfThere(file: string): Record<string, unknown> {
  return lstatSync(file, { throwIfNoEntry: false }) ? readConfigFile(file) : {};
}
