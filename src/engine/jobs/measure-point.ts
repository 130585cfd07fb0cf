/** Speed, memory and sizes of both models, each in a process of its own. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { writeFileAtomically } from '../runs/atomic-file.js';
import { describeDecoder } from '../decoder/describe.js';
import { throwIfCancelled } from '../../schema/errors.js';
import { measureSpeed } from '../evaluate/speed/measure-speed.js';
import { exportPoint } from './parts/write-point.js';
import { MemoryPlanner, speedNeedsWhole } from './parts/memory-plan.js';
import { withSession } from './parts/settings.js';
import { requests, type CheckedInput, type RequestOutput } from '../../shared/contract.js';
import type { EngineContext } from '../../engine-process/engine-context.js';
import { emptyReport } from './export-point.js';
import { prepareRunTask, type TrainedPoint } from './parts/run-point.js';

type Asked = CheckedInput<'compare.measure'>;
type Measured = RequestOutput<'compare.measure'>;

const ROUNDS = 3;
const PROMPTS = 8;
const NEW_TOKENS = 32;

/**
 * Measured once a point; the result is kept in the run's folder.
 * @throws UserError if the model cannot be written or run; CancelledError if stopped
 */
export async function measurePoint(
  context: EngineContext,
  point: TrainedPoint,
  asked: Asked,
  signal: AbortSignal,
): Promise<Measured> {
  const file = path.join(context.store.folderOf(point.run.id), `measured-${asked.blocks}.json`);
  const kept = keptFigures(file);
  if (kept) return kept;
  const progress = (what: 'export' | 'speed', done: number, total: number) =>
    context.emit('compare.progress', { ticket: asked.ticket, what, done, total });
  progress('export', 0, 1);
  const task = await prepareRunTask(context, point);
  throwIfCancelled(signal);
  mkdirSync(context.folders.cache, { recursive: true });
  const folder = mkdtempSync(path.join(context.folders.cache, 'measured-'));
  try {
    const settings = { ...point.run.settings, exportMode: 'folded' as const };
    const report = point.report ?? emptyReport(point);
    const exported = await exportPoint(
      point.model,
      task,
      point,
      report,
      settings,
      path.join(folder, 'slimmed'),
    );
    progress('export', 1, 1);
    const measured: Measured = { sizes: sizesOf(point, exported) };
    const { memory } = settings;
    if (new MemoryPlanner(memory, {}).fitsWhole(point.model.decoder)) {
      const speed = await withSession(settings, (session) =>
        measureSpeed([point.model.source.modelPath, exported.modelPath], {
          prompts: task.heldout
            .slice(0, PROMPTS)
            .map((row) => row.ids.slice(0, Math.max(1, row.responseStart))),
          newTokens: NEW_TOKENS,
          rounds: ROUNDS,
          session,
          signal,
          onRound: (done, total) => progress('speed', done, total),
          ...(context.startMeasureProcess ? { startProcess: context.startMeasureProcess } : {}),
        }),
      );
      if (speed) measured.speed = { original: speed[0]!, slimmed: speed[1]! };
    } else measured.note = speedNeedsWhole(memory!);
    writeFileAtomically(file, JSON.stringify(measured));
    return measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function keptFigures(file: string): Measured | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const parsed = v.safeParse(requests['compare.measure'].output, JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function sizesOf(
  { model, skipped }: TrainedPoint,
  exported: { originalBytes: number; slimmedBytes: number },
): Measured['sizes'] {
  const { blocks } = describeDecoder(model.decoder);
  const known = blocks.filter((block) => block.cacheBytesPerToken !== undefined);
  const cache = (without: readonly string[]) =>
    known.length === 0
      ? {}
      : {
          cacheBytesPerToken: known
            .filter((block) => !without.includes(block.name))
            .reduce((sum, block) => sum + block.cacheBytesPerToken!, 0),
        };
  return {
    original: { modelBytes: exported.originalBytes, ...cache([]) },
    slimmed: { modelBytes: exported.slimmedBytes, ...cache(skipped) },
  };
}
