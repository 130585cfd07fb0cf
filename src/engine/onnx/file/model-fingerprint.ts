/** A hash that tells whether a model is still the same, without reading gigabytes. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { externalFiles } from './model-file.js';
import { resolveExternalPath } from './external-data.js';
import { readModelInPlace } from './weights-in-place.js';

const SAMPLE_BYTES = 1 << 20;
const SAMPLES = 16;

/** Hash of the ONNX file and of samples of each weights file, its size included. */
export async function modelFingerprint(modelPath: string): Promise<string> {
  const model = readModelInPlace(modelPath);
  const hash = createHash('sha256');
  hashFile(hash, modelPath);
  const own = path.basename(modelPath);
  for (const location of externalFiles(model).filter((name) => name !== own)) {
    hash.update(location);
    hashFile(hash, resolveExternalPath(model.folder!, location, location));
  }
  return hash.digest('hex');
}

/** Takes a file into a hash: all of a small one; of a large one its size and evenly spread samples, the first and last bytes among them. */
export function hashFile(hash: ReturnType<typeof createHash>, file: string): void {
  const { size } = statSync(file);
  hash.update(`${size}`);
  const descriptor = openSync(file, 'r');
  try {
    const buffer = new Uint8Array(SAMPLE_BYTES);
    const pieces = Math.ceil(size / SAMPLE_BYTES);
    const samples = pieces <= 4 * SAMPLES ? pieces : SAMPLES;
    for (let index = 0; index < samples; index += 1) {
      const spread =
        samples === pieces ? index * SAMPLE_BYTES : ((size - SAMPLE_BYTES) * index) / (samples - 1);
      const read = readSync(descriptor, buffer, 0, SAMPLE_BYTES, Math.floor(spread));
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
}
