/** A point of a run's curve as a folder: where it could go, what would be written, and writing it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ExportedFile, ExportPreview, ExportResult } from '../../schema/results.js';
import type { RunPoint } from '../../schema/runs.js';
import type { ExportMode } from '../../schema/settings.js';
import { outputProblem } from '../export/complete-folder.js';
import { exportSnippets } from '../export/snippets.js';
import type { JobContext } from './context.js';
import { requireExportable } from './parts/before-start.js';
import { freeSpace } from './parts/free-space.js';
import { modelBytes, plannedFiles, writtenFiles } from './parts/model-files.js';
import { openPoint, prepareRunTask, runModels } from './parts/points.js';
import { writePoint } from './parts/write-point.js';
import { trainPoint } from './train-point.js';

export interface ExportRequest extends RunPoint {
  /** The folder to write; must not exist yet, or be empty. */
  folder: string;
  /** Absent: as the run was told. */
  mode?: ExportMode;
}

/** A name for the point's folder that is free in a folder. @throws UserError if there is no such run */
export async function suggestName(
  request: RunPoint & { parent: string },
  context: JobContext,
): Promise<string> {
  const { run, models } = await openPoint(request, context);
  const base = safeName(
    `${path.basename(models.original.name)}-${run.datasetName}-${request.blocks}-skipped`,
  );
  let name = base;
  for (let suffix = 2; existsSync(path.join(request.parent, name)); suffix += 1) name = `${base}-${suffix}`;
  return name;
}

/** @throws UserError if the point cannot be exported at all; a folder that will not do is part of the answer */
export async function previewExport(request: ExportRequest, context: JobContext): Promise<ExportPreview> {
  const point = await openPoint(request, context);
  const folder = path.resolve(request.folder);
  const { original, model } = point.models;
  const files = plannedFiles(model, point.skipped, point.scales);
  const totalBytes = totalOf(files);
  const freeBytes = freeSpace(path.dirname(folder));
  const problem =
    outputProblem(folder, original.source.folder) ??
    (freeBytes !== undefined && totalBytes > freeBytes
      ? `There is too little space on the disk of ${path.dirname(folder)}.`
      : undefined);
  return { folder, files, totalBytes, originalBytes: modelBytes(original), freeBytes, problem };
}

/**
 * Trains the point first where the run has not.
 * @throws UserError if it cannot be written or does not pass the check; nothing is left behind then
 */
export async function exportPoint(request: ExportRequest, context: JobContext): Promise<ExportResult> {
  const folder = path.resolve(request.folder);
  const { original, model: source } = await runModels(request, context);
  requireExportable(original, folder, modelBytes(source));
  await trainPoint(request, context);
  const point = await openPoint(request, context);
  const task = await prepareRunTask(point, context);
  const { models, run, report, skipped } = point;
  const { model } = models;
  const settings = { ...run.settings, exportMode: request.mode ?? run.settings.exportMode };
  const written = await writePoint(models, task, point, report, settings, folder);
  context.store.update(run, { exportedTo: written.folder });
  return {
    folder: written.folder,
    modelFile: model.source.modelFile,
    files: writtenFiles(written.folder, plannedFiles(model, skipped)),
    originalBytes: written.originalBytes,
    slimmedBytes: written.slimmedBytes,
    mode: written.mode,
    modeReason: written.modeReason,
    leftOut: written.leftOut,
    verification: written.verification,
    snippets: exportSnippets(written.folder, model.source.modelFile),
  };
}

/** Names of devices, with any ending. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** Why a name will not do for a folder, in one sentence; undefined if it does, on all systems. */
export function nameProblem(name: string): string | undefined {
  if (RESERVED.test(name)) return `Windows keeps the name '${name}' for itself; choose another one.`;
  if (name === safeName(name)) return undefined;
  return `'${name}' cannot be a folder's name everywhere; use letters, digits, dots, dashes and underscores.`;
}

function safeName(name: string): string {
  return name
    .replaceAll(/[^\p{L}\p{N}._ -]+/gu, '-')
    .replace(/^[. -]+/, '')
    .replace(/[. ]+$/, '');
}

function totalOf(files: readonly ExportedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
