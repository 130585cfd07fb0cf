/** Writes a model of another format as a folder with an ONNX file, as onnxruntime-genai's builder would. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../schema/errors.js';
import { transformersJsConfig } from '../export/configs.js';
import { encodeModel, type OnnxModel } from '../onnx/file/model-file.js';
import { genaiConfig } from './files/genai-config.js';
import { decoderGraph } from './graph/decoder-graph.js';
import type { ModelSource } from './sources/model-source.js';
import { PlannedDataFile, writeDataFile, type DataFileOptions } from './weights/planned.js';
import { quoted } from './quoted.js';

const MODEL_FILE = 'model.onnx';
const DATA_FILE = 'model.onnx_data';

/** Bytes foreseen for the graph, the configs and the tokenizer. */
const OTHER_BYTES = 20_000_000;

/** What old files have beside the weights: frequencies of positions, masks. */
const BUFFERS = /\.(rotary_emb\.inv_freq|attn\.(masked_)?bias)$/;

export interface ImportPlan {
  source: ModelSource;
  model: OnnxModel;
  dataFile: PlannedDataFile;
  /** About how many bytes the folder will have. */
  bytes: number;
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
  options: DataFileOptions = {},
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await writeDataFile(dataFile, path.join(folder, DATA_FILE), options);
  writeFileSync(path.join(folder, MODEL_FILE), encodeModel(model));
  const files = { modelFile: MODEL_FILE, dataFiles: 1, hasFloat16Cache: false };
  writeJson(path.join(folder, 'config.json'), transformersJsConfig(source.config, files));
  writeJson(path.join(folder, 'generation_config.json'), source.generationConfig);
  writeJson(
    path.join(folder, 'genai_config.json'),
    genaiConfig(source.facts, MODEL_FILE, source.generationConfig),
  );
  source.writeTokenizer(folder);
  options.onProgress?.(dataFile.bytes, dataFile.bytes);
}

/** Weights of a layer that nothing is made of would be a layer that computes otherwise than is understood. */
function refuseUnused({ weights, place, facts }: ModelSource): void {
  const left = weights
    .unused()
    .filter((name) => /(^|\.)(blk|layers|h)\.\d+\./.test(name) && !BUFFERS.test(name));
  if (left.length === 0) return;
  throw new UserError(
    `${place} has weights that a model of the family ${facts.family.name} does not have (${quoted(left[0])}${left.length > 1 ? ` and ${left.length - 1} more` : ''}); it is of another kind and cannot be taken.`,
  );
}

function writeJson(file: string, data: unknown): void {
  writeFileSync(file, `${JSON.stringify(data, undefined, 2)}\n`);
}
