/** Speed, memory and sizes of the original and of one point of a run's curve; kept in the run's folder. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { throwIfCancelled } from '../../schema/errors.js';
import { measuredPoint, type ResourceFigures } from '../../schema/report.js';
import type { RunPoint } from '../../schema/runs.js';
import { readKept, writeKept } from '../runs/kept-json.js';
import type { JobContext } from './context.js';
import { onDevice } from './parts/device.js';
import { MemoryPlanner } from './parts/memory-plan.js';
import { sizeFigures } from './parts/model-files.js';
import { openPoint, prepareRunTask } from './parts/points.js';
import { speedOf } from './parts/speed.js';
import { writePoint } from './parts/write-point.js';

const ROUNDS = 3;

/**
 * Measured once a point, on a model that is written for it and deleted afterwards.
 * @throws UserError if the model cannot be written or run; CancelledError if stopped
 */
export async function measurePoint(request: RunPoint, context: JobContext): Promise<ResourceFigures> {
  const point = await openPoint(request, context);
  const { models, run, report, skipped } = point;
  const { original, model } = models;
  const file = context.store.measuredFile(run, request.blocks);
  const kept = readKept(file, measuredPoint);
  if (kept) return kept;
  context.on({ type: 'stage', stage: 'exporting' });
  const task = await prepareRunTask(point, context);
  throwIfCancelled(context.signal);
  mkdirSync(context.cache, { recursive: true });
  const folder = mkdtempSync(path.join(context.cache, 'measured-'));
  try {
    const settings = { ...run.settings, exportMode: 'folded' as const };
    const output = path.join(folder, 'slimmed');
    const written = await writePoint(models, task, point, report, settings, output);
    context.on({ type: 'stage', stage: 'measuring speed' });
    const speed = await onDevice(settings, (runOptions) => {
      const planner = new MemoryPlanner(settings.memory, runOptions);
      return speedOf(original, written.modelPath, task, ROUNDS, planner, runOptions, context);
    });
    const measured: ResourceFigures = {
      sizes: {
        original: sizeFigures(original, [], written.originalBytes),
        slimmed: sizeFigures(model, skipped, written.slimmedBytes),
      },
      ...speed,
    };
    writeKept(file, measured);
    return measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
