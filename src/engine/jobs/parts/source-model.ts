/** A source model, opened: its folder, its decoder, and what tells it from others. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import type { Decoder } from '../../decoder/decoder.js';
import { modelFingerprint } from '../../onnx/file/model-fingerprint.js';
import { readModel } from '../../onnx/file/model-file.js';
import { readModelInPlace } from '../../onnx/file/weights-in-place.js';
import { openModelFolder, type ModelFolder } from '../../onnx/file/model-folder.js';

export interface SourceModel {
  source: ModelFolder;
  decoder: Decoder;
  fingerprint: string;
  /** The folder's name, for people. */
  name: string;
}

/**
 * @param memory bytes that may be used: in an ONNX file larger than an eighth of that the weights are left, for as long
 *   as nobody asks for them
 * @throws UserError if there is no model, it is broken, or of a kind that is not supported
 */
export async function openSourceModel(
  location: string,
  modelFile?: string,
  memory = Infinity,
): Promise<SourceModel> {
  const source = openModelFolder(location, modelFile);
  const decoder = readDecoder(
    statSync(source.modelPath).size > memory / 8
      ? readModelInPlace(source.modelPath)
      : await readModel(source.modelPath),
  );
  return {
    source,
    decoder,
    fingerprint: await modelFingerprint(source.modelPath),
    name: path.basename(source.folder),
  };
}
