/** The slimmed model as it is written: blocks deleted, scales folded or inserted, caches numbered densely. */
import path from 'node:path';
import type { BlockName } from '../../schema/blocks.js';
import type { ExportMode, Granularity } from '../../schema/settings.js';
import type { Decoder } from '../decoder/decoder.js';
import { joinNorms } from '../decoder/edit/join-norms.js';
import { renumberCache } from '../decoder/edit/renumber-cache.js';
import type { Scales } from '../decoder/scales.js';
import { writeModel } from '../onnx/file/model-file.js';
import { dataFileNames } from './data-files.js';
import { insertScales } from './explicit-scales.js';
import { foldScales, type FoldedDecoder } from './fold-scales.js';
import { attentionLayers } from './whole-model.js';

export interface SlimmedForm {
  original: Decoder;
  skipped: readonly BlockName[];
  scales: Scales;
  granularity: Granularity;
  mode: ExportMode;
}

export interface SlimmedModel extends FoldedDecoder {
  /** Original layer behind each KV cache, or state of a convolution. */
  keptLayers: number[];
}

/** @throws UnwritableScales if the scales cannot be folded */
export function slimmedModel(form: SlimmedForm): SlimmedModel {
  const { decoder, weightEdits } = withScales(form);
  const keptLayers = attentionLayers(decoder);
  return { decoder: renumberCache(decoder).decoder, keptLayers, weightEdits };
}

function withScales({ original, skipped, scales, granularity, mode }: SlimmedForm): FoldedDecoder {
  if (mode === 'folded') return foldScales(original, skipped, scales);
  return { decoder: insertScales(original, skipped, scales, granularity), weightEdits: new Map() };
}

/**
 * Writes the ONNX file, and the files of its weights beside it.
 * @returns names of the files of weights
 */
export async function writeSlimmedModel(
  { decoder, weightEdits }: SlimmedModel,
  original: Decoder,
  file: string,
): Promise<string[]> {
  joinNorms(decoder.graph, original.fusedNorms);
  const dataFiles = dataFileNames(decoder.model, path.basename(file));
  await writeModel(decoder.model, file, {
    edit: (tensor) => weightEdits.get(tensor.name),
    renameExternal: (location) => dataFiles.get(location)!,
  });
  return [...dataFiles.values()];
}
