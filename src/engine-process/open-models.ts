/** The model that was read last stays in memory: every step asks for it again. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { openSourceModel, type SourceModel } from '../engine/jobs/parts/source-model.js';
import { onnxFiles, openModelFolder } from '../engine/onnx/file/model-folder.js';
import type { ModelChoice } from '../shared/values.js';

export class OpenModels {
  #last: { key: string; model: Promise<SourceModel> } | undefined;

  /**
   * @param memory bytes that may be used, as for openSourceModel
   * @throws UserError as openSourceModel does
   */
  async open({ model: location, modelFile }: ModelChoice, memory?: number): Promise<SourceModel> {
    const file = modelFile ?? preferredFile(location);
    const source = openModelFolder(location, file);
    const { mtimeMs, size } = statSync(source.modelPath);
    const key = JSON.stringify([source.modelPath, mtimeMs, size, memory]);
    if (this.#last?.key !== key) this.#last = { key, model: openSourceModel(location, file, memory) };
    const { model } = this.#last;
    try {
      return await model;
    } catch (error) {
      if (this.#last?.model === model) this.#last = undefined;
      throw error;
    }
  }
}

/**
 * Which file is opened where a folder holds several and none is called model.onnx: the app offers the others. The full
 * precision first, then halves, then the quantised ones.
 */
export function preferredFile(location: string): string | undefined {
  if (statSync(location, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  const files = onnxFiles(location);
  if (files.length < 2 || files.some((file) => path.basename(file) === 'model.onnx')) return undefined;
  const order = [
    /decoder_model_merged\.onnx$/,
    /model_fp32\.onnx$/,
    /model_fp16\.onnx$/,
    /model_q/,
    /model/,
    /./,
  ];
  for (const pattern of order) {
    const found = files.find((file) => pattern.test(file));
    if (found !== undefined) return found;
  }
  return undefined;
}
