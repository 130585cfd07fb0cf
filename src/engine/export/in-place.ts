/** Whether a folder is the export of a certain point already: a job that is resumed does not write it twice. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import type { BlockName } from '../../schema/blocks.js';
import { exportMode, type Granularity } from '../../schema/settings.js';
import { saveScales, type Scales } from '../decoder/scales.js';

const recordSchema = v.object({
  version: v.literal(1),
  original_model: v.string(),
  task: v.string(),
  scale_granularity: v.string(),
  skipped_blocks: v.array(v.string()),
  kv_cache_layers: v.array(v.number()),
  mode: exportMode,
  scales: v.record(v.string(), v.array(v.number())),
  verification: v.looseObject({ largestDifference: v.number() }),
});
export type KeptRecord = v.InferOutput<typeof recordSchema>;

/** What hopscotch.json of a folder says; undefined where there is none or it is damaged. */
export function recordOf(folder: string): KeptRecord | undefined {
  try {
    const parsed = v.safeParse(
      recordSchema,
      JSON.parse(readFileSync(path.join(folder, 'hopscotch.json'), 'utf8')),
    );
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

export interface Point {
  modelName: string;
  taskName: string;
  granularity: Granularity;
  skipped: readonly BlockName[];
  scales: Scales;
}

/** The record of the folder, if it holds this very point: the same blocks with the same scales, to the bit. */
export function exportInPlace(folder: string, modelFile: string, point: Point): KeptRecord | undefined {
  const record = recordOf(folder);
  const isSame =
    record !== undefined &&
    record.original_model === point.modelName &&
    record.task === point.taskName &&
    record.scale_granularity === point.granularity &&
    record.skipped_blocks.join() === point.skipped.join() &&
    JSON.stringify(record.scales) === JSON.stringify(saveScales(point.scales)) &&
    statSync(path.join(folder, modelFile), { throwIfNoEntry: false })?.isFile() === true;
  return isSame ? record : undefined;
}
