/** Writes a model without some of its MLPs' neurons: a complete folder that loads as the source's does. */
import path from 'node:path';
import { throwIfCancelled, UserError } from '../../../schema/errors.js';
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { writeCompleteFolder } from '../../export/complete-folder.js';
import { bytesOfModel, writeWholeModel } from '../../export/whole-model.js';
import { externalFiles } from '../../onnx/file/model-file.js';
import type { ModelFolder } from '../../onnx/file/model-folder.js';
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
    const dataFiles = await writeWholeModel(
      {
        source,
        original: decoder,
        decoder: cut.decoder,
        edit: (tensor) => fitted.edits.get(tensor.name) ?? cut.weightEdits.get(tensor.name),
        ...(request.signal && { signal: request.signal }),
      },
      folder,
    );
    fitted.remove();
    writeWidths(
      folder,
      [...after.values()].map(([, width]) => width),
    );
    const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
    return {
      folder: path.resolve(request.output),
      modelFile: source.modelFile,
      bytesBefore: bytesOfModel(source.modelPath, externalFiles(decoder.model)),
      bytesAfter: bytesOfModel(path.join(folder, source.modelFile), dataFiles),
      neuronsBefore: sum([...after.values()].map(([width]) => width)),
      neuronsAfter: sum([...after.values()].map(([, width]) => width)),
      widths: after,
      refitted,
      left: before.problems,
    };
  });
}
