/** The files beside an exported model: configs, tokenizer and licence of the source, and what its runtimes look for. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { findChatTemplate } from '../data/tokenizer-files.js';
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
 * @throws UserError if the chat template cannot be read; Error with a code of the file system otherwise
 */
export async function writeCompanions(
  source: string,
  target: string,
  { cache, files }: ModelChange,
): Promise<void> {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(source)) {
    const from = path.join(source, name);
    const to = path.join(target, name);
    if (!statSync(from).isFile()) continue;
    if (COMPANION_FILES.test(name)) cpSync(from, to, { dereference: true });
    else if (name === 'config.json')
      writeJson(to, transformersJsConfig(slimConfig(readJson(from), cache), files));
    else if (name === 'genai_config.json')
      writeJson(to, slimGenaiConfig(readJson(from), cache, files.modelFile));
    else if (name.toLowerCase() === 'readme.md')
      cpSync(from, path.join(target, 'README.original.md'), { dereference: true });
  }
  deriveConfig(target, files);
  await deriveChatTemplate(target);
}

/** Whether an export of a folder gets a config.json that the folder does not have. */
export function hasDerivedConfig(source: string): boolean {
  return existsSync(path.join(source, 'genai_config.json')) && !existsSync(path.join(source, 'config.json'));
}

/** onnxruntime-genai's builder writes no config.json, without which transformers.js loads nothing. */
function deriveConfig(folder: string, files: ModelFiles): void {
  if (!hasDerivedConfig(folder)) return;
  const config = configFromGenai(readJson(path.join(folder, 'genai_config.json')));
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
  const config = readJson(file);
  if (config.chat_template === template.source) return;
  // Copies keep the source's mode, which may be read-only.
  rmSync(file);
  writeJson(file, { ...config, chat_template: template.source });
}

function readJson(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

function writeJson(file: string, data: unknown): void {
  writeFileSync(file, `${JSON.stringify(data, undefined, 2)}\n`);
}
