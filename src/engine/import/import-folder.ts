/** Writes a model of another format as a folder with an ONNX file, as onnxruntime-genai's builder would. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { throwIfCancelled, UserError } from '../../schema/errors.js';
import { transformersJsConfig } from '../export/configs.js';
import { encodeModel, type OnnxModel } from '../onnx/file/model-file.js';
import { genaiConfig } from './files/genai-config.js';
import { decoderGraph } from './graph/decoder-graph.js';
import type { ModelSource } from './sources/model-source.js';
import { PlannedDataFile } from './weights/planned.js';
import { quoted } from './quoted.js';

const MODEL_FILE = 'model.onnx';
const DATA_FILE = 'model.onnx_data';

/** Bytes foreseen for the graph, the configs and the tokenizer. */
const OTHER_BYTES = 20_000_000;

export interface ImportPlan {
  source: ModelSource;
  model: OnnxModel;
  dataFile: PlannedDataFile;
  /** About how many bytes the folder will have. */
  bytes: number;
}

export interface ImportOptions {
  signal?: AbortSignal;
  /** Bytes of weights written so far. */
  onProgress?: (done: number, total: number) => void;
  /** Called between weights. */
  giveWay?: () => Promise<void>;
}

/**
 * What will be written; nothing of the weights but vectors is read yet.
 * @throws UserError if a weight is missing or of another shape than the model's config says
 */
export function planImport(source: ModelSource): ImportPlan {
  const dataFile = new PlannedDataFile(DATA_FILE);
  const model = decoderGraph(source.facts, source.weights, dataFile);
  refuseUnused(source);
  return { source, model, dataFile, bytes: dataFile.bytes + OTHER_BYTES };
}

/**
 * @param folder is made; an existing file in it is written anew
 * @throws UserError if the source's files change meanwhile, CancelledError if stopped, Error with a code of the file system
 */
export async function writeImport(
  { source, model, dataFile }: ImportPlan,
  folder: string,
  { signal, onProgress, giveWay }: ImportOptions = {},
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const descriptor = openSync(path.join(folder, DATA_FILE), 'w');
  try {
    let done = 0;
    for (const { weight, offsets } of dataFile.weights) {
      const ends = [...offsets];
      for (const parts of weight.parts()) {
        for (const [index, bytes] of parts.entries()) {
          writeFully(descriptor, bytes, ends[index]!);
          ends[index]! += bytes.length;
          done += bytes.length;
        }
        await nextTurn();
        throwIfCancelled(signal);
        onProgress?.(done, dataFile.bytes);
        await giveWay?.();
      }
    }
  } finally {
    closeSync(descriptor);
  }
  writeFileSync(path.join(folder, MODEL_FILE), encodeModel(model));
  const files = { modelFile: MODEL_FILE, dataFiles: 1, hasFloat16Cache: false };
  writeJson(path.join(folder, 'config.json'), transformersJsConfig(source.config, files));
  writeJson(path.join(folder, 'generation_config.json'), source.generationConfig);
  writeJson(
    path.join(folder, 'genai_config.json'),
    genaiConfig(source.facts, MODEL_FILE, source.generationConfig),
  );
  source.writeTokenizer(folder);
  onProgress?.(dataFile.bytes, dataFile.bytes);
}

/** Weights of a layer that nothing is made of would be a layer that computes otherwise than is understood. */
function refuseUnused({ weights, place, facts }: ModelSource): void {
  const left = weights
    .unused()
    .filter((name) => /(^|\.)(blk|layers)\.\d+\./.test(name) && !name.endsWith('rotary_emb.inv_freq'));
  if (left.length === 0) return;
  throw new UserError(
    `${place} has weights that a model of the family ${facts.family.name} does not have (${quoted(left[0])}${left.length > 1 ? ` and ${left.length - 1} more` : ''}); it is of another kind and cannot be taken.`,
  );
}

function writeFully(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, 1 << 30), offset + done);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function writeJson(file: string, data: unknown): void {
  writeFileSync(file, `${JSON.stringify(data, undefined, 2)}\n`);
}
