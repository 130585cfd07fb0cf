/** A model's files on disk: what they weigh, and which travel along with an export. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { BlockName } from '../../../schema/blocks.js';
import type { SizeFigures } from '../../../schema/report.js';
import type { ExportedFile } from '../../../schema/results.js';
import { describeDecoder, savingsOf } from '../../decoder/describe.js';
import type { Scales } from '../../decoder/scales.js';
import { COMPANION_FILES, hasDerivedConfig, travels } from '../../export/companions.js';
import { resolveExternalPath } from '../../onnx/file/external-data.js';
import { externalFiles } from '../../onnx/file/model-file.js';
import type { SourceModel } from './source-model.js';

/** Bytes foreseen for hopscotch.json before it is written; README.md takes a quarter of that. */
const RECORD_BYTES = 8_000;
/** A scale in the record's text, with its digits and its line. */
const SCALE_BYTES = 26;

/** Bytes foreseen for a config.json that is made of genai_config.json. */
const DERIVED_CONFIG_BYTES = 500;

/** Bytes on disk of the ONNX file and its external weights. */
export function modelBytes(model: Pick<SourceModel, 'source' | 'decoder'>): number {
  return [model.source.modelPath, ...weightFiles(model)].reduce((sum, file) => sum + statSync(file).size, 0);
}

/** The same of an exported model, whose data files are called after it. */
export function writtenModelBytes(modelPath: string): number {
  const [folder, name] = [path.dirname(modelPath), path.basename(modelPath)];
  return readdirSync(folder)
    .filter((file) => file === name || file.startsWith(`${name}_data`))
    .reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
}

/** Files with weights beside the ONNX file; where weights are left in a large ONNX file, that is none of them. */
function weightFiles({ source, decoder }: Pick<SourceModel, 'source' | 'decoder'>): string[] {
  const folder = path.dirname(source.modelPath);
  return externalFiles(decoder.model)
    .map((location) => resolveExternalPath(folder, location, location))
    .filter((file) => path.resolve(file) !== path.resolve(source.modelPath));
}

/** Sizes of a model with blocks left out. @param bytes of its files; default: as the model's own are */
export function sizeFigures(
  model: Pick<SourceModel, 'source' | 'decoder'>,
  skipped: readonly BlockName[] = [],
  bytes = modelBytes(model),
): SizeFigures {
  const blocks = describeDecoder(model.decoder).blocks.filter(
    (block) => block.cacheBytesPerToken !== undefined,
  );
  return {
    modelBytes: bytes,
    cacheBytesPerToken:
      blocks.length === 0
        ? undefined
        : blocks
            .filter((block) => !skipped.includes(block.name))
            .reduce((sum, block) => sum + block.cacheBytesPerToken!, 0),
  };
}

/**
 * What an export will write; sizes of what is not written yet are estimates.
 * @param scales that the record holds
 */
export function plannedFiles(
  model: SourceModel,
  skipped: readonly BlockName[],
  scales: Scales = new Map(),
): ExportedFile[] {
  const values = [...scales.values()].reduce((sum, { length }) => sum + length, 0);
  return [
    ...plannedModelFiles(model, skipped),
    ...companionFiles(model, RECORD_BYTES + SCALE_BYTES * values),
  ];
}

function plannedModelFiles(model: SourceModel, skipped: readonly BlockName[]): ExportedFile[] {
  const { modelFile, modelPath } = model.source;
  const saved = savingsOf(describeDecoder(model.decoder), skipped).bytes;
  const weights = weightFiles(model).map((file) => ({
    name: path.posix.join(path.posix.dirname(modelFile), path.basename(file)),
    bytes: statSync(file).size,
  }));
  const graph = { name: modelFile, bytes: statSync(modelPath).size, estimated: true, what: 'model' as const };
  const all = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  if (weights.length === 0) return [{ ...graph, bytes: Math.max(0, graph.bytes - saved) }];
  return [
    graph,
    ...weights.map(({ name, bytes }) => ({
      name,
      bytes: Math.max(0, Math.round(bytes - (saved * bytes) / all)),
      estimated: true,
      what: 'weights' as const,
    })),
  ];
}

function companionFiles({ source }: SourceModel, recordBytes: number): ExportedFile[] {
  const travelling = readdirSync(source.folder).flatMap((name): ExportedFile[] => {
    const status = statSync(path.join(source.folder, name), { throwIfNoEntry: false });
    if (!status?.isFile() || !travels(source.folder, name)) return [];
    const file = { name, bytes: status.size, estimated: false };
    if (name === 'config.json' || name === 'genai_config.json')
      return [{ ...file, estimated: true, what: 'config' }];
    if (name === 'generation_config.json') return [{ ...file, what: 'config' }];
    if (COMPANION_FILES.test(name))
      return [{ ...file, what: name.startsWith('tokenizer') ? 'tokenizer' : 'other' }];
    if (name.toLowerCase() === 'readme.md') return [{ ...file, name: 'README.original.md', what: 'readme' }];
    return [];
  });
  const derived = {
    name: 'config.json',
    bytes: DERIVED_CONFIG_BYTES,
    estimated: true,
    what: 'config' as const,
  };
  return [
    ...travelling,
    ...(hasDerivedConfig(source.folder) ? [derived] : []),
    { name: 'hopscotch.json', bytes: recordBytes, estimated: true, what: 'record' },
    { name: 'README.md', bytes: RECORD_BYTES / 4, estimated: true, what: 'readme' },
  ];
}

/** The files that are there, as the plan called them. */
export function writtenFiles(folder: string, planned: readonly ExportedFile[]): ExportedFile[] {
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
