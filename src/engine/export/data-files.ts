/**
 * Names of the files that an exported model's weights lie in. transformers.js finds 'model.onnx_data', 'model.onnx_data_1'
 * and so on beside 'model.onnx', if config.json says how many there are; other runtimes read the names in the model.
 */
import path from 'node:path';
import { externalFiles, type OnnxModel } from '../onnx/model-file.js';

/** The new name of each data file, by its location in the source model. */
export function dataFileNames(model: OnnxModel, modelFile: string): Map<string, string> {
  const base = path.posix.basename(modelFile);
  return new Map(
    externalFiles(model).map((location, index) => [
      location,
      `${base}_data${index === 0 ? '' : `_${index}`}`,
    ]),
  );
}

/** The part of config.json for transformers.js, with the number of data files of the exported model. */
export function transformersJsConfig(
  config: Record<string, unknown>,
  modelFile: string,
  dataFiles: number,
): Record<string, unknown> {
  const key = 'transformers.js_config';
  const own = isObject(config[key]) ? config[key] : {};
  const { use_external_data_format: before, ...rest } = own;
  if (dataFiles === 0 && before === undefined) return config;
  const entry = { [path.posix.basename(modelFile)]: dataFiles };
  return { ...config, [key]: dataFiles === 0 ? rest : { ...rest, use_external_data_format: entry } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
