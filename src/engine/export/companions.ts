/** The files beside an exported model: configs, tokenizer and licence of the source, and what its runtimes look for. */
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { UserError } from '../../schema/errors.js';
import { findChatTemplate } from '../data/tokenizer-files.js';
import { readConfigFile } from '../onnx/file/config-file.js';
import { isWithin } from '../onnx/file/external-data.js';
import {
  configFromGenai,
  slimConfig,
  slimGenaiConfig,
  transformersJsConfig,
  type CacheChange,
  type ModelFiles,
} from './configs.js';

/** Files beside the model that travel along; all but tokenizer_config.json unchanged. */
export const COMPANION_FILES =
  /^(generation_config\.json|tokenizer.*|special_tokens_map\.json|added_tokens\.json|vocab\.(json|txt)|merges\.txt|chat_template\.(json|jinja)|spiece\.model|licen[cs]e.*|notice.*|use_policy.*)$/i;

/** How the exported model differs from its source, as far as configs tell. */
export interface ModelChange {
  cache: CacheChange;
  files: ModelFiles;
}

/**
 * @param source folder of the source model
 * @param target folder of the exported model, made where it is missing
 * @throws UserError if a config or the chat template cannot be read; Error with a code of the file system otherwise
 */
export async function writeCompanions(
  source: string,
  target: string,
  { cache, files }: ModelChange,
): Promise<void> {
  mkdirSync(target, { recursive: true });
  for (const name of companionNames(source)) {
    const from = path.join(source, name);
    const to = path.join(target, name);
    if (COMPANION_FILES.test(name)) copyFileSync(from, to);
    else if (name === 'config.json')
      writeJson(to, transformersJsConfig(slimConfig(readConfigFile(from), cache), files));
    else if (name === 'genai_config.json')
      writeJson(to, slimGenaiConfig(readConfigFile(from), cache, files.modelFile));
    else if (name.toLowerCase() === 'readme.md') copyFileSync(from, path.join(target, 'README.original.md'));
  }
  deriveConfig(target, files);
  await deriveChatTemplate(target);
}

/** Files of a folder that an export copies or rewrites, links that lead nowhere included. */
function companionNames(source: string): string[] {
  return readdirSync(source).filter((name) => isCompanion(name) && travels(source, name));
}

function isCompanion(name: string): boolean {
  return COMPANION_FILES.test(name) || /^(config|genai_config)\.json$|^readme\.md$/i.test(name);
}

/** One sentence: which files would go into an export, were they not links out of the folder; undefined for none. */
export function leftOut(source: string): string | undefined {
  const names = readdirSync(source).filter(
    (name) =>
      isCompanion(name) &&
      statSync(path.join(source, name), { throwIfNoEntry: false })?.isFile() &&
      !travels(source, name),
  );
  if (names.length === 0) return undefined;
  const [are, links, them] = names.length === 1 ? ['is a', 'link', 'it'] : ['are', 'links', 'them'];
  return `${names.join(', ')} ${are} ${links} out of the model's folder and not in the export; put the contents into ${source} if the model needs ${them}.`;
}

/**
 * Whether a file has a part in an export, if its name has: it is a file, and no link to one outside of the model's folder.
 * A folder from strangers could otherwise carry any file of this machine into what is published. Links that lead nowhere
 * count.
 */
export function travels(source: string, name: string): boolean {
  const full = path.join(source, name);
  const status = statSync(full, { throwIfNoEntry: false });
  if (status === undefined) return true;
  if (!status.isFile()) return false;
  const real = realpathSync(full);
  return real === full || isWithin(source, full, real);
}

/** Asked before hours are spent on a calibration. @throws UserError if a file that an export needs cannot be read */
export function requireCompanions(source: string): void {
  for (const name of companionNames(source)) {
    const file = path.join(source, name);
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const reason = isGone ? 'is a link to a file that is not there' : 'cannot be read';
      throw new UserError(
        `${file} ${reason}, but belongs to the model and goes into every export; put it there or remove it.`,
      );
    }
    if (name.endsWith('.json') && !/^(vocab|added_tokens)/.test(name)) readConfigFile(file);
  }
}

/** Whether an export of a folder gets a config.json that the folder does not have. */
export function hasDerivedConfig(source: string): boolean {
  return existsSync(path.join(source, 'genai_config.json')) && !existsSync(path.join(source, 'config.json'));
}

/** onnxruntime-genai's builder writes no config.json, without which transformers.js loads nothing. */
function deriveConfig(folder: string, files: ModelFiles): void {
  if (!hasDerivedConfig(folder)) return;
  const config = configFromGenai(readConfigFile(path.join(folder, 'genai_config.json')));
  if (config) writeJson(path.join(folder, 'config.json'), transformersJsConfig(config, files));
}

/**
 * transformers.js reads a chat template in tokenizer_config.json alone, where transformers and onnxruntime-genai's builder
 * no longer write it: without one it refuses conversations, and with an older one it would ask otherwise than Hopscotch did.
 */
async function deriveChatTemplate(folder: string): Promise<void> {
  const file = path.join(folder, 'tokenizer_config.json');
  const template = await findChatTemplate(folder);
  if (template === undefined || !existsSync(file)) return;
  const config = readConfigFile(file);
  if (config.chat_template === template.source) return;
  // Copies keep the source's mode, which may be read-only.
  rmSync(file);
  writeJson(file, { ...config, chat_template: template.source });
}

function writeJson(file: string, data: unknown): void {
  writeFileSync(file, `${JSON.stringify(data, undefined, 2)}\n`);
}
