/**
 * Names of the files that an exported model's weights lie in. transformers.js finds 'model.onnx_data', 'model.onnx_data_1'
 * and so on beside 'model.onnx', if config.json says how many there are; other runtimes read the names in the model.
 */
import path from 'node:path';
import { externalFiles, type OnnxModel } from '../onnx/file/model-file.js';

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
