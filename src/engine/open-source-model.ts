/** A source model, opened: its folder, its decoder, and what tells it from others. */
import { readDecoder } from './decoder/read-decoder.js';
import type { Decoder } from './decoder/decoder.js';
import { modelFingerprint } from './onnx/model-fingerprint.js';
import { readModel } from './onnx/model-file.js';
import { openModelFolder, type ModelFolder } from './onnx/model-folder.js';
import path from 'node:path';

export interface SourceModel {
  source: ModelFolder;
  decoder: Decoder;
  fingerprint: string;
  /** The folder's name, for people. */
  name: string;
}

/** @throws UserError if there is no model, it is broken, or of a kind that is not supported */
export async function openSourceModel(location: string, modelFile?: string): Promise<SourceModel> {
  const source = openModelFolder(location, modelFile);
  const decoder = readDecoder(await readModel(source.modelPath));
  return {
    source,
    decoder,
    fingerprint: await modelFingerprint(source.modelPath),
    name: path.basename(source.folder),
  };
}
