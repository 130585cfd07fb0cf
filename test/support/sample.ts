/** The sample model, its tasks, and what PyTorch makes of them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { makeLossBatch, type LossBatch } from '../../src/engine/loss/loss-batch.js';
import type { ScaleKey } from '../../src/engine/decoder/scales.js';
import { guessColumns } from '../../src/engine/data/columns.js';
import { readDataset } from '../../src/engine/data/dataset.js';
import { encodeExamples } from '../../src/engine/data/encode-examples.js';
import type { EncodedRow } from '../../src/engine/data/encoded-row.js';
import { toExamples } from '../../src/engine/data/examples.js';
import { loadTokenizer, type ModelTokenizer } from '../../src/engine/data/tokenizer.js';
import type { Decoder } from '../../src/engine/decoder/decoder.js';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { readModel } from '../../src/engine/onnx/file/model-file.js';
import { repositoryRoot, sampleFolder } from './shared-folder.js';

export const SAMPLE_TASKS = ['arithmetic', 'tracking', 'records'] as const;
export type SampleTask = (typeof SAMPLE_TASKS)[number];

/** One row a layer: b_att, s_att, b_mlp, s_mlp. */
export type LayerScales = readonly (readonly [number, number, number, number])[];

/** Of each task: made by hopscotch_torch.py in float32 (test/reference/sample.json). */
export interface TaskReference {
  /** On rows 0..31, padded to one batch. */
  loss_ones: number;
  grad_ones: LayerScales;
  /** Skipped attention blocks of loss_scales and grad_scales. */
  skip: number[];
  scales: LayerScales;
  loss_scales: number;
  grad_scales: LayerScales;
  /** On rows 400..527: [loss, next-token accuracy]. */
  heldout_original: [number, number];
  /** The loss with each attention block skipped alone. */
  heldout_skip_one: number[];
  /** On rows 0..255 in batches of 32. */
  published_selection: { chosen: number[]; losses: Record<string, number>[] };
  published_training: { curve: number[]; scales: LayerScales };
}

export function taskReference(task: SampleTask): TaskReference {
  const file = path.join(repositoryRoot, 'test', 'reference', 'sample.json');
  const { tasks } = JSON.parse(readFileSync(file, 'utf8')) as { tasks: Record<SampleTask, TaskReference> };
  return tasks[task];
}

export async function sampleDecoder(): Promise<Decoder> {
  return readDecoder(await readModel(path.join(sampleFolder, 'onnx', 'model.onnx')));
}

export function sampleTask(task: SampleTask): string {
  return path.join(sampleFolder, 'tasks', `${task}.jsonl`);
}

export async function sampleTokenizer(): Promise<ModelTokenizer> {
  return await loadTokenizer(sampleFolder);
}

/** Rows of a task's file, the last one included. */
export async function sampleRows(task: SampleTask, first: number, last: number): Promise<EncodedRow[]> {
  const dataset = await readDataset(sampleTask(task));
  const { examples } = toExamples(dataset, guessColumns(dataset).mapping);
  return encodeExamples(await sampleTokenizer(), examples.slice(first, last + 1)).rows;
}

/** The same in batches, in the file's order. */
export async function sampleBatches(
  decoder: Decoder,
  task: SampleTask,
  first: number,
  last: number,
  batchRows = 32,
): Promise<LossBatch[]> {
  const rows = await sampleRows(task, first, last);
  const { padTokenId } = await sampleTokenizer();
  const starts = Array.from({ length: Math.ceil(rows.length / batchRows) }, (_, index) => index * batchRows);
  return starts.map((start) => makeLossBatch(decoder, rows.slice(start, start + batchRows), padTokenId));
}

/** Keys of the reference's columns for one layer. */
export function layerKeys(layer: number): [ScaleKey, ScaleKey, ScaleKey, ScaleKey] {
  return [
    `block attention ${layer}`,
    `residual attention ${layer}`,
    `block mlp ${layer}`,
    `residual mlp ${layer}`,
  ];
}

export function scalesOf(reference: LayerScales): Map<ScaleKey, Float32Array> {
  return new Map(
    reference.flatMap((row, layer) =>
      layerKeys(layer).map((key, column) => [key, Float32Array.of(row[column]!)] as const),
    ),
  );
}
