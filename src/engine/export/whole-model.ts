/** Writes a model that has all blocks of another one, whose weights or graph were changed, with the files beside it. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { throwIfCancelled } from '../../schema/errors.js';
import { blocksOf, type Decoder } from '../decoder/decoder.js';
import { joinNorms } from '../decoder/edit/join-norms.js';
import { elementType } from '../decoder/element-type.js';
import { writeModel, type WriteOptions } from '../onnx/file/model-file.js';
import type { ModelFolder } from '../onnx/file/model-folder.js';
import { DataType } from '../onnx/graph/data-types.js';
import { writeCompanions } from './companions.js';
import { dataFileNames } from './data-files.js';

export interface WholeModel {
  source: ModelFolder;
  original: Decoder;
  /** Changed; its blocks and caches are the original's. */
  decoder: Decoder;
  edit?: WriteOptions['edit'];
  signal?: AbortSignal;
  /** Weights written so far. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * The ONNX file under the source's name, weights beside it under names that all runtimes find, configs and tokenizer.
 * @param folder is made
 * @returns names of the files with weights, beside the ONNX file
 * @throws UserError if something cannot be read, CancelledError if stopped, Error with a code of the file system
 */
export async function writeWholeModel(model: WholeModel, folder: string): Promise<string[]> {
  const { source, original, decoder, edit, signal, onProgress } = model;
  joinNorms(decoder.graph, original.fusedNorms);
  const dataFiles = dataFileNames(decoder.model, source.modelFile);
  const total = decoder.model.graph.initializer.length;
  let done = 0;
  await writeModel(decoder.model, path.join(folder, source.modelFile), {
    edit: (tensor) => {
      throwIfCancelled(signal);
      done += 1;
      onProgress?.(done, total);
      return edit?.(tensor);
    },
    renameExternal: (location) => dataFiles.get(location)!,
  });
  await writeCompanions(source.folder, folder, {
    cache: { originalLayers: original.layerCount, keptLayers: attentionLayers(original) },
    files: {
      modelFile: source.modelFile,
      dataFiles: dataFiles.size,
      hasFloat16Cache: hasFloat16Cache(original),
    },
  });
  return [...dataFiles.values()];
}

/** The layer behind each KV cache, or state of a convolution. */
export function attentionLayers(decoder: Decoder): number[] {
  return blocksOf(decoder).flatMap(({ kind, layer }) => (kind === 'mlp' ? [] : [layer]));
}

export function hasFloat16Cache({ graph, inputs }: Pick<Decoder, 'graph' | 'inputs'>): boolean {
  const [first] = inputs.cache;
  return first !== undefined && elementType(graph, first) === DataType.FLOAT16;
}

/**
 * Bytes of an ONNX file and those with its weights. Each file counts once: weights that were left in place
 * (onnx/file/weights-in-place.ts) name the model's own file.
 */
export function bytesOfModel(modelPath: string, dataFiles: readonly string[]): number {
  const files = new Set([modelPath, ...dataFiles.map((name) => path.join(path.dirname(modelPath), name))]);
  return [...files].reduce((bytes, file) => bytes + statSync(file).size, 0);
}
