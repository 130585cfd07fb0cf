/** Writes a model without some of its MLPs' neurons: a complete folder that loads as the source's does. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { throwIfCancelled, UserError } from '../../../schema/errors.js';
import type { BlockName } from '../../../schema/blocks.js';
import { blocksOf, type Decoder } from '../../decoder/decoder.js';
import { elementType } from '../../decoder/element-type.js';
import { joinNorms } from '../../decoder/edit/join-norms.js';
import { writeCompanions } from '../../export/companions.js';
import { writeCompleteFolder } from '../../export/complete-folder.js';
import { dataFileNames } from '../../export/data-files.js';
import { externalFiles, writeModel } from '../../onnx/file/model-file.js';
import type { ModelFolder } from '../../onnx/file/model-folder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { FittedWeights, type FitRows } from './fitted-weights.js';
import { neuronsProblem } from './neurons-problem.js';
import { readNeurons } from './read-neurons.js';
import { removeNeurons, type KeptNeurons } from './remove-neurons.js';
import { writeWidths } from './width-configs.js';

export interface NeuronsRequest {
  source: ModelFolder;
  decoder: Decoder;
  /** The folder to make; must not exist, or be empty. */
  output: string;
  /** As planNeurons gives them. */
  kept: KeptNeurons;
  /**
   * Rows on which the last products are fitted anew, so that the neurons that stay make up for the others; the more, the
   * better. Weights of a few bits stay as they are. Default: none is fitted.
   */
  refit?: FitRows;
  signal?: AbortSignal;
  /** MLPs that are fitted. */
  onProgress?: (done: number, total: number) => void;
}

export interface CutNeurons {
  /** Absolute path of the folder. */
  folder: string;
  /** The ONNX file in it, with forward slashes. */
  modelFile: string;
  /** Bytes of the ONNX file and those with its weights, before and after. */
  bytesBefore: number;
  bytesAfter: number;
  neuronsBefore: number;
  neuronsAfter: number;
  /** Neurons of each MLP, before and after, in the order of the layers. */
  widths: ReadonlyMap<BlockName, readonly [number, number]>;
  /** MLPs whose last product was fitted anew. */
  refitted: readonly BlockName[];
  /** MLPs that kept all their neurons because their form is not known: why, in words that follow 'because'. */
  left: ReadonlyMap<BlockName, string>;
}

/**
 * Writes the model without the neurons that are not kept: complete, with its companion files, or not at all.
 * @throws UserError if an MLP cannot be cut or the folder cannot be written; CancelledError if stopped
 */
export async function cutNeurons(request: NeuronsRequest): Promise<CutNeurons> {
  const { source, decoder, kept } = request;
  const problem = neuronsProblem(decoder);
  if (problem !== undefined) throw new UserError(problem);
  return await writeCompleteFolder(request.output, source.folder, async (folder) => {
    const before = readNeurons(decoder);
    const cut = removeNeurons(decoder, kept);
    const after = new Map(
      before.neurons.map(({ block, width }) => [block, [width, kept.get(block)?.length ?? width]] as const),
    );
    const fitted = new FittedWeights(folder);
    const refitted = request.refit ? await fitted.fit(request, cut, request.refit) : [];
    throwIfCancelled(request.signal);
    joinNorms(cut.decoder.graph, decoder.fusedNorms);
    const file = path.join(folder, source.modelFile);
    const dataFiles = dataFileNames(cut.decoder.model, path.basename(file));
    await writeModel(cut.decoder.model, file, {
      edit: (tensor) => fitted.edits.get(tensor.name) ?? cut.weightEdits.get(tensor.name),
      renameExternal: (location) => dataFiles.get(location)!,
    });
    fitted.remove();
    await writeCompanions(source.folder, folder, {
      cache: {
        originalLayers: decoder.layerCount,
        keptLayers: blocksOf(decoder).flatMap(({ kind, layer }) => (kind === 'mlp' ? [] : [layer])),
      },
      files: {
        modelFile: source.modelFile,
        dataFiles: dataFiles.size,
        hasFloat16Cache: hasFloat16Cache(decoder),
      },
    });
    writeWidths(
      folder,
      [...after.values()].map(([, width]) => width),
    );
    const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
    return {
      folder: path.resolve(request.output),
      modelFile: source.modelFile,
      bytesBefore: bytesOf(source.modelPath, externalFiles(decoder.model)),
      bytesAfter: bytesOf(file, [...dataFiles.values()]),
      neuronsBefore: sum([...after.values()].map(([width]) => width)),
      neuronsAfter: sum([...after.values()].map(([, width]) => width)),
      widths: after,
      refitted,
      left: before.problems,
    };
  });
}

function hasFloat16Cache({ graph, inputs }: Decoder): boolean {
  const [first] = inputs.cache;
  return first !== undefined && elementType(graph, first) === DataType.FLOAT16;
}

/** Each file counts once: weights that were left in place name the model's own file. */
function bytesOf(modelPath: string, dataFiles: readonly string[]): number {
  const files = new Set([modelPath, ...dataFiles.map((name) => path.join(path.dirname(modelPath), name))]);
  return [...files].reduce((bytes, file) => bytes + statSync(file).size, 0);
}
