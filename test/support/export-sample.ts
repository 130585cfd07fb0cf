/** Exports of the sample with made-up scales: no calibration needed. */
import type { BlockName } from '../../src/schema/blocks.js';
import type { Granularity } from '../../src/schema/settings.js';
import path from 'node:path';
import { exportModel, type ExportRequest, type ExportedModel } from '../../src/engine/export/export-model.js';
import { openModel } from '../../src/engine/jobs/parts/source-model.js';
import { randomScales } from './random-scales.js';
import { sampleBatches } from './sample.js';
import { sampleFolder } from './shared-folder.js';
import { temporaryFolder } from './temporary-folder.js';

export interface SampleExport extends Partial<ExportRequest> {
  skipped: readonly BlockName[];
  granularity?: Granularity;
  /** Model folder. Default: the sample's. */
  from?: string;
}

/** A path at which nothing is yet, in a new temporary folder. */
export function freshPath(name: string): string {
  return path.join(temporaryFolder(), name);
}

export async function exportSample(options: SampleExport): Promise<ExportedModel> {
  const { skipped, granularity = 'channel', from = sampleFolder, ...others } = options;
  const { source, decoder } = await openModel(from);
  return await exportModel({
    source,
    original: decoder,
    skipped,
    scales: randomScales(decoder, skipped, granularity),
    mode: 'folded',
    output: freshPath('slimmed'),
    verificationBatches: await sampleBatches(decoder, 'arithmetic', 400, 403),
    record: {
      modelName: 'sample',
      taskName: 'arithmetic',
      strategy: 'exhaustive',
      granularity,
      figures: [['loss of a response token', '0.0020', '0.0190']],
    },
    runOptions: { threads: 1 },
    ...others,
  });
}
