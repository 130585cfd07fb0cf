/** Writes the slimmed model's folder: complete and verified, or not at all. */
import type { BlockName } from '../../schema/blocks.js';
import type { ExportMode, Granularity } from '../../schema/settings.js';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openForwardModel } from '../loss/forward-model.js';
import type { LossBatch } from '../loss/loss-batch.js';
import { saveScales, type Scales } from '../decoder/scales.js';
import type { Decoder } from '../decoder/decoder.js';
import { externalFiles, setMetadata } from '../onnx/file/model-file.js';
import type { ModelFolder } from '../onnx/file/model-folder.js';
import type { RunOptions } from '../runtime/session.js';
import { leftOut, writeCompanions } from './companions.js';
import { writeCompleteFolder } from './complete-folder.js';
import type { ExportRecord } from './export-record.js';
import { modelCard } from './model-card.js';
import { slimmedModel, writeSlimmedModel } from './slimmed-model.js';
import { explicitReason, requireSame, UnwritableScales } from './unwritable-scales.js';
import { verifyExport, type ExportCheck } from './verify-export.js';
import { bytesOfModel, hasFloat16Cache } from './whole-model.js';

export interface ExportRequest {
  source: ModelFolder;
  original: Decoder;
  skipped: readonly BlockName[];
  scales: Scales;
  mode: ExportMode;
  /** The folder to make; must not exist, or be empty. */
  output: string;
  /** Held-out rows that the written file is checked on. */
  verificationBatches: readonly LossBatch[];
  record: ExportRecord;
  runOptions?: RunOptions;
}

export interface ExportedModel {
  folder: string;
  modelPath: string;
  /** Bytes of all files of the model (graph and weights), before and after. */
  originalBytes: number;
  slimmedBytes: number;
  /** Original layer behind each KV cache of the slimmed model. */
  keptLayers: readonly number[];
  verification: ExportCheck;
  /** How the scales were written: explicitly also where they were to be folded and that was not exact. */
  mode: ExportMode;
  /** One sentence: why the mode is not the one that was asked for. */
  modeReason?: string;
  /** One sentence: which files beside the model were not copied. */
  leftOut?: string;
}

/**
 * @throws UserError if the output exists, lies in the source, cannot be written, or fails the verification; nothing
 *   is left behind then
 */
export async function exportModel(request: ExportRequest): Promise<ExportedModel> {
  const output = path.resolve(request.output);
  const result = await writeCompleteFolder(output, request.source.folder, (folder) =>
    writeVerified(request, folder),
  );
  return {
    ...result,
    folder: output,
    modelPath: path.join(output, request.source.modelFile),
    leftOut: leftOut(request.source.folder),
  };
}

type WrittenFolder = Omit<ExportedModel, 'folder' | 'modelPath' | 'leftOut'>;

/** Folded scales where these give the trained model, else explicit ones. @throws UnwritableScales if neither does */
async function writeVerified(request: ExportRequest, folder: string): Promise<WrittenFolder> {
  rmSync(folder, { recursive: true, force: true });
  try {
    return await writeFolder(request, folder);
  } catch (error) {
    if (!(error instanceof UnwritableScales) || request.mode === 'explicit') throw error;
    rmSync(folder, { recursive: true, force: true });
    const written = await writeFolder({ ...request, mode: 'explicit' }, folder);
    return { ...written, modeReason: explicitReason(error) };
  }
}

async function writeFolder(request: ExportRequest, folder: string): Promise<WrittenFolder> {
  const { source, original, skipped, scales, record } = request;
  const slimmed = slimmedModel({ ...request, granularity: record.granularity });
  const { keptLayers } = slimmed;
  const hopscotch = {
    version: 1,
    original_model: record.modelName,
    original_layers: original.layerCount,
    skipped_blocks: skipped,
    kv_cache_layers: keptLayers,
    task: record.taskName,
    strategy: record.strategy,
    scale_granularity: record.granularity,
    mode: request.mode,
    ...(record.cuts && record.cuts.length > 0 && { cuts: record.cuts }),
    scales: saveScales(scales),
    figures: Object.fromEntries(
      record.figures.map(([name, before, after]) => [name, { original: before, slimmed: after }]),
    ),
  };
  writeMetadata(slimmed.decoder, hopscotch, record.granularity);
  const modelPath = path.join(folder, source.modelFile);
  const dataFiles = await writeSlimmedModel(slimmed, original, modelPath);
  await writeCompanions(source.folder, folder, {
    cache: { originalLayers: original.layerCount, keptLayers },
    files: {
      modelFile: source.modelFile,
      dataFiles: dataFiles.length,
      hasFloat16Cache: hasFloat16Cache(original),
    },
  });
  const verification = await verify(request, modelPath);
  const originalBytes = record.originalBytes ?? bytesOfModel(source.modelPath, externalFiles(original.model));
  const slimmedBytes = bytesOfModel(modelPath, dataFiles);
  writeJson(path.join(folder, 'hopscotch.json'), { ...hopscotch, verification });
  writeFileSync(
    path.join(folder, 'README.md'),
    modelCard({
      record,
      skipped,
      folder,
      folderName: path.basename(path.resolve(request.output)),
      originalLayers: original.layerCount,
      keptLayers,
      modelFile: source.modelFile,
      mode: request.mode,
      originalBytes,
      slimmedBytes,
    }),
  );
  return { originalBytes, slimmedBytes, keptLayers, verification, mode: request.mode };
}

/** The record as metadata_props; vectors of scales are too long for it and stay in hopscotch.json alone. */
function writeMetadata(decoder: Decoder, record: Record<string, unknown>, granularity: Granularity): void {
  for (const [key, value] of Object.entries(record)) {
    if (key === 'scales' && granularity !== 'scalar') continue;
    setMetadata(decoder.model, `hopscotch.${key}`, typeof value === 'string' ? value : JSON.stringify(value));
  }
}

async function verify(request: ExportRequest, modelPath: string): Promise<ExportCheck> {
  const trained = await openForwardModel(request.original, {
    skipped: request.skipped,
    granularity: request.record.granularity,
    runOptions: request.runOptions,
  });
  const { scales, verificationBatches, runOptions } = request;
  try {
    return requireSame(await verifyExport(modelPath, trained, scales, verificationBatches, runOptions));
  } finally {
    await trained.release();
  }
}

function writeJson(file: string, data: unknown): void {
  writeFileSync(file, `${JSON.stringify(data, undefined, 2)}\n`);
}
