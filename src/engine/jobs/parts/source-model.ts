/** A source model, opened: its folder, its decoder, and what tells it from others. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../schema/errors.js';
import { plainWords } from '../../../schema/plain-words.js';
import type { Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { refusePointer, requireWholeWeights } from '../../onnx/file/download-problems.js';
import { modelFingerprint } from '../../onnx/file/model-fingerprint.js';
import { readModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { openModelFolder, type ModelFolder } from '../../onnx/file/model-folder.js';
import { readModelApart, readModelInPlace } from '../../onnx/file/weights-in-place.js';
import { openSession } from '../../runtime/session.js';

export interface SourceModel {
  source: ModelFolder;
  decoder: Decoder;
  fingerprint: string;
  /** The folder's name, for people; of a model in the Hugging Face cache 'owner/name'. */
  name: string;
}

/**
 * @param location a model folder or an ONNX file
 * @param modelFile which ONNX file of the folder, where it holds several
 * @param memory bytes that may be used: in an ONNX file larger than an eighth of that the weights are left, for as long
 *   as nobody asks for them
 * @throws UserError if there is no model, it is broken, or of a kind that is not supported
 */
export async function openModel(
  location: string,
  modelFile?: string,
  memory = Infinity,
): Promise<SourceModel> {
  const source = openModelFolder(location, modelFile);
  refusePointer(source.modelPath);
  const model = await readWithin(source.modelPath, memory);
  requireWholeWeights(model);
  const decoder = await decoderOf(model, source.modelPath);
  return {
    source,
    decoder,
    fingerprint: await modelFingerprint(source.modelPath),
    name: nameOf(source.folder),
  };
}

/** Files from this size on are read weight by weight: copies of them would be felt. */
const LARGE_FILE = 64e6;

/** Files that are too large for what an ONNX file can be are left to `readModel`, which says so. */
const LARGEST_FILE = 2 ** 31 - 1;

async function readWithin(file: string, memory: number): Promise<OnnxModel> {
  const { size } = statSync(file);
  if (size > memory / 8) return readModelInPlace(file);
  return size > LARGE_FILE && size <= LARGEST_FILE ? readModelApart(file) : await readModel(file);
}

/** Where the reader stumbles over a file, onnxruntime judges whether the file or the reader is at fault. */
async function decoderOf(model: OnnxModel, file: string): Promise<Decoder> {
  try {
    return readDecoder(model);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const session = await openSession(file).catch((refused: unknown) => {
      throw new UserError(`${file} is damaged: ${plainWords(refused)}. Download or export it again.`, {
        cause: error,
      });
    });
    await session.release();
    throw error;
  }
}

function nameOf(folder: string): string {
  const cached = /models--([^/\\]+)[/\\]snapshots[/\\]/.exec(folder)?.[1];
  return cached === undefined ? path.basename(folder) : cached.split('--').join('/');
}
