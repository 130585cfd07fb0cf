/** Step 6: what would be written, and writing it. */
import { existsSync, readdirSync, statSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { externalFiles } from '../onnx/file/model-file.js';
import { describeDecoder, savingsOf } from '../decoder/describe.js';
import { UserError } from '../../schema/errors.js';
import { COMPANION_FILES } from '../export/export-model.js';
import type { SlimReport } from '../runs/report.js';
import { exportPoint } from './parts/write-point.js';
import type { CheckedInput, RequestOutput } from '../../shared/contract.js';
import type { RunPoint } from '../../shared/compare.js';
import type { ExportPreview } from '../../shared/export.js';
import { modelBytes, modelName } from './describe-model.js';
import type { EngineContext } from '../../engine-process/engine-context.js';
import { exportSnippets } from './parts/snippets.js';
import { openRunPoint, prepareRunTask, type TrainedPoint } from './parts/run-point.js';

type Target = CheckedInput<'export.preview'>;
type PlannedFile = ExportPreview['files'][number];

/** Of hopscotch.json and README.md before they are written. */
const RECORD_BYTES = 8_000;

export async function suggestTarget(
  context: EngineContext,
  wanted: RunPoint,
): Promise<RequestOutput<'export.suggest'>> {
  const { run, model } = await openRunPoint(context, wanted);
  const base = safeName(`${path.basename(modelName(model))}-${run.datasetName}-${wanted.blocks}-skipped`);
  let name = base;
  for (let suffix = 2; existsSync(path.join(context.exportFolder, name)); suffix += 1)
    name = `${base}-${suffix}`;
  return { parent: context.exportFolder, name };
}

/** @throws UserError if the point cannot be exported at all; a target that will not do is part of the answer */
export async function previewExport(context: EngineContext, target: Target): Promise<ExportPreview> {
  const point = await openRunPoint(context, target);
  const folder = path.join(target.parent, target.name);
  const files = [...modelFiles(point), ...companionFiles(point)];
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const freeBytes = freeSpace(target.parent);
  const problem = targetProblem(target, folder, point, totalBytes, freeBytes);
  return {
    folder,
    files,
    totalBytes,
    originalBytes: modelBytes(point.model),
    ...(freeBytes === undefined ? {} : { freeBytes }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** @throws UserError if it cannot be written or does not pass the check; nothing is left behind then */
export async function writeExport(
  context: EngineContext,
  target: Target,
): Promise<RequestOutput<'export.write'>> {
  const point = await openRunPoint(context, target);
  const folder = path.join(target.parent, target.name);
  const problem = targetProblem(target, folder, point, 0, undefined);
  if (problem !== undefined) throw new UserError(problem);
  const task = await prepareRunTask(context, point);
  const settings = { ...point.run.settings, exportMode: target.mode };
  const report = point.report ?? emptyReport(point);
  const written = await exportPoint(point.model, task, point, report, settings, folder);
  context.store.update(point.run, { exportedTo: written.folder });
  return {
    folder: written.folder,
    modelFile: point.model.source.modelFile,
    files: writtenFiles(written.folder, [...modelFiles(point), ...companionFiles(point)]),
    originalBytes: written.originalBytes,
    slimmedBytes: written.slimmedBytes,
    verification: written.verification,
    snippets: exportSnippets(written.folder, point.model.source.modelFile),
  };
}

/** For a run that was stopped before its report: a point without figures. */
export function emptyReport({ model }: TrainedPoint): SlimReport {
  return { layers: model.decoder.layerCount, points: [] } as unknown as SlimReport;
}

function modelFiles({ model, skipped }: TrainedPoint): PlannedFile[] {
  const { modelFile, modelPath } = model.source;
  const saved = savingsOf(describeDecoder(model.decoder), skipped).bytes;
  const external = externalFiles(model.decoder.model).map((location) => ({
    name: path.posix.join(path.posix.dirname(modelFile), path.basename(location)),
    bytes: statSync(path.join(path.dirname(modelPath), location)).size,
  }));
  const graph = { name: modelFile, bytes: statSync(modelPath).size };
  const all = external.reduce((sum, { bytes }) => sum + bytes, 0);
  if (external.length === 0) {
    return [{ ...graph, bytes: Math.max(0, graph.bytes - saved), estimated: true, what: 'model' }];
  }
  return [
    { ...graph, estimated: true, what: 'model' },
    ...external.map(({ name, bytes }) => ({
      name,
      bytes: Math.max(0, Math.round(bytes - (saved * bytes) / all)),
      estimated: true,
      what: 'weights' as const,
    })),
  ];
}

function companionFiles({ model: { source } }: TrainedPoint): PlannedFile[] {
  const names = readdirSync(source.folder).filter((name) =>
    statSync(path.join(source.folder, name)).isFile(),
  );
  const size = (name: string) => statSync(path.join(source.folder, name)).size;
  const travelling = names.flatMap((name): PlannedFile[] => {
    if (name === 'config.json' || name === 'genai_config.json' || name === 'generation_config.json')
      return [{ name, bytes: size(name), estimated: name !== 'generation_config.json', what: 'config' }];
    if (COMPANION_FILES.test(name))
      return [
        {
          name,
          bytes: size(name),
          estimated: false,
          what: name.startsWith('tokenizer') ? 'tokenizer' : 'other',
        },
      ];
    if (name.toLowerCase() === 'readme.md')
      return [{ name: 'README.original.md', bytes: size(name), estimated: false, what: 'readme' }];
    return [];
  });
  return [
    ...travelling,
    { name: 'hopscotch.json', bytes: RECORD_BYTES, estimated: true, what: 'record' },
    { name: 'README.md', bytes: RECORD_BYTES / 4, estimated: true, what: 'readme' },
  ];
}

/** The files that are there, as the plan called them. */
function writtenFiles(folder: string, planned: readonly PlannedFile[]): PlannedFile[] {
  const kinds = new Map(planned.map(({ name, what }) => [name, what]));
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name: name.replaceAll(path.sep, '/'), stats: statSync(path.join(folder, name)) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ name, stats }) => ({
      name,
      bytes: stats.size,
      estimated: false,
      what: kinds.get(name) ?? 'other',
    }));
}

function targetProblem(
  target: Target,
  folder: string,
  { model }: TrainedPoint,
  bytes: number,
  freeBytes: number | undefined,
): string | undefined {
  const { name, parent } = target;
  if (name !== safeName(name)) {
    return `'${name}' cannot be a folder's name everywhere; use letters, digits, dots, dashes and underscores.`;
  }
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return `There is no folder ${parent}; choose another one.`;
  }
  const source = path.resolve(model.source.folder);
  const inside = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + path.sep);
  if (inside(path.resolve(folder), source) || inside(source, path.resolve(folder))) {
    return 'This is the source model’s own folder; choose another one, the source is never changed.';
  }
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there && (!there.isDirectory() || readdirSync(folder).length > 0)) {
    return `${folder} exists already and is not an empty folder; choose another name.`;
  }
  if (freeBytes !== undefined && bytes > freeBytes)
    return `There is too little space on the disk of ${parent}.`;
  return undefined;
}

/** A name that is good on all systems. */
export function safeName(name: string): string {
  return name
    .replaceAll(/[^\p{L}\p{N}._ -]+/gu, '-')
    .replace(/^[. -]+/, '')
    .replace(/[. ]+$/, '');
}

function freeSpace(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
