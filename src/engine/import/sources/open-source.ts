/** Whether a path holds a model in another format than ONNX, and opening it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { beginsAsGguf, isGguf } from '../formats/gguf.js';
import { openGguf } from './gguf-source.js';
import type { ModelSource } from './model-source.js';
import { openSafetensors } from './safetensors-source.js';

/** What is at a path that is no ONNX model. */
export type Importable = { kind: 'gguf'; path: string } | { kind: 'safetensors'; path: string };

/**
 * @param location a file, or a folder
 * @returns undefined where there is nothing that could be imported: ONNX files, or nothing that is known
 * @throws UserError if what is there is known and cannot be taken
 */
export function findImportable(location: string): Importable | undefined {
  const full = path.resolve(location);
  const status = statSync(full, { throwIfNoEntry: false });
  if (!status) return undefined;
  if (status.isFile()) return ofFile(full);
  const names = readdirSync(full);
  if (names.some((name) => name.endsWith('.onnx')) || existsSync(path.join(full, 'onnx'))) return undefined;
  refuseAdapter(full, names);
  const hasSafetensors = names.some((name) => name.endsWith('.safetensors'));
  if (hasSafetensors && names.includes('config.json')) return { kind: 'safetensors', path: full };
  const ggufs = names.filter((name) => isGguf(name) && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(name));
  if (ggufs.length === 1) return { kind: 'gguf', path: path.join(full, ggufs[0]!) };
  if (ggufs.length > 1) {
    throw new UserError(
      `${full} holds several GGUF files (${ggufs.slice(0, 8).join(', ')}); name one of them.`,
    );
  }
  if (hasSafetensors) {
    throw new UserError(
      `${full} has weights in safetensors files but no config.json, which says what model they are; put the model's config.json and tokenizer beside them.`,
    );
  }
  refusePickles(full, names);
  return undefined;
}

/** @throws UserError if it is damaged or of a kind that cannot be taken */
export function openImportable({ kind, path: place }: Importable): ModelSource {
  return kind === 'gguf' ? openGguf(place) : openSafetensors(place);
}

function ofFile(file: string): Importable | undefined {
  const name = path.basename(file);
  const hasNoEnding = path.extname(name) === '';
  if (isGguf(file) || (hasNoEnding && beginsAsGguf(file))) return { kind: 'gguf', path: file };
  if (name.endsWith('.safetensors')) {
    const folder = path.dirname(file);
    refuseAdapter(folder, [name]);
    if (existsSync(path.join(folder, 'config.json'))) return { kind: 'safetensors', path: folder };
    throw new UserError(
      `${file} holds weights, but there is no config.json beside it, which says what model they are; put the model's config.json and tokenizer there.`,
    );
  }
  refusePickles(path.dirname(file), [name]);
  return undefined;
}

function refuseAdapter(folder: string, names: readonly string[]): void {
  if (names.some((name) => /^adapter_(config\.json|model\.(safetensors|bin))$/.test(name))) {
    throw new UserError(
      `${folder} holds a LoRA adapter, not a model; merge it into its base model first (merge_and_unload of peft), and take the merged model.`,
    );
  }
}

function refusePickles(folder: string, names: readonly string[]): void {
  const pickle = names.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name) && !name.startsWith('tokenizer'));
  if (pickle !== undefined) {
    throw new UserError(
      `${path.join(folder, pickle)} is a pickle of PyTorch, which is not opened, since it can run code; take the model as safetensors or GGUF.`,
    );
  }
}
