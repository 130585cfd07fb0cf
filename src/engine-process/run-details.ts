/** Runs as the app shows them. */
import { existsSync } from 'node:fs';
import { readCheckpoint, chosenBlocks, type CheckpointState } from '../engine/runs/checkpoint.js';
import type { SavedScales } from '../engine/decoder/scales.js';
import { UserError } from '../schema/errors.js';
import { qualityShare, readReport, type SlimReport } from '../engine/runs/report.js';
import type { Run, RunStore } from '../engine/runs/run-store.js';
import type { BlockScales, RunDetails, RunFindings, RunSummary } from '../shared/runs.js';
import type { BlockName } from '../shared/values.js';

/** Newest first. */
export function listRuns(store: RunStore): RunSummary[] {
  return store.list().map((run) => runSummary(store, run));
}

export function runSummary(store: RunStore, run: Run): RunSummary {
  const report = reportOf(store, run);
  const {
    exportMode: _e,
    speedRounds: _s,
    output: _o,
    calibrationRange: _c,
    heldoutRange: _h,
    ...settings
  } = run.settings;
  return {
    id: run.id,
    created: run.created,
    status: run.status,
    modelName: run.modelName,
    datasetName: run.datasetName,
    settings,
    resumable: run.status !== 'finished',
    curve: report ? thumbnail(report) : [],
    ...(run.title === undefined ? {} : { title: run.title }),
    ...(run.exportedTo === undefined ? {} : { exportedTo: run.exportedTo }),
    ...(run.error === undefined ? {} : { error: run.error }),
    ...(report ? { layers: report.layers } : {}),
    ...(report?.chosenPoint === undefined ? {} : { chosenPoint: report.chosenPoint }),
  };
}

/** @throws UserError if there is no such run */
export function runDetails(store: RunStore, id: string): RunDetails {
  const run = openRun(store, id);
  const checkpoint = checkpointOf(store, run);
  const report = reportOf(store, run);
  return {
    summary: runSummary(store, run),
    findings: findingsOf(checkpoint),
    scales: Object.fromEntries(
      Object.entries(checkpoint?.training ?? {}).map(([blocks, { best }]) => [
        blocks,
        blockScales(best.scales),
      ]),
    ),
    trainedPoints: trainedPoints(checkpoint, report),
    ...(report ? { report } : {}),
  };
}

/** A run may have been stopped between training a point's scales and measuring it. */
function trainedPoints(
  checkpoint: CheckpointState | undefined,
  report: SlimReport | undefined,
): RunDetails['trainedPoints'] {
  const measured = report?.points.map(({ skipped }) => skipped.length) ?? [];
  return measured.filter((blocks) => checkpoint?.training[String(blocks)]?.finished);
}

/** By its whole name only. @throws UserError if there is no such run */
export function openRun(store: RunStore, id: string): Run {
  const run = store.list().find((candidate) => candidate.id === id);
  if (!run) throw new UserError(`The run ${id} is not there any more; choose another one.`);
  return run;
}

export function findingsOf(checkpoint: CheckpointState | undefined): RunFindings {
  return {
    rounds: (checkpoint?.rounds ?? []).map(({ losses, rises, chosen }) => ({
      losses,
      ...(rises ? { rises } : {}),
      ...(chosen ? { chosen } : {}),
    })),
    training: Object.fromEntries(
      Object.entries(checkpoint?.training ?? {}).map(([blocks, { epochs }]) => [blocks, epochs]),
    ),
  };
}

/** Undefined where the run has not come that far, or the file is damaged. */
export function checkpointOf(store: RunStore, run: Run): CheckpointState | undefined {
  const file = store.checkpointFile(run);
  try {
    return existsSync(file) ? readCheckpoint(file) : undefined;
  } catch {
    return undefined;
  }
}

export function reportOf(store: RunStore, run: Run): SlimReport | undefined {
  const file = store.reportFile(run);
  try {
    return existsSync(file) ? readReport(file) : undefined;
  } catch {
    return undefined;
  }
}

export function skippedAt(checkpoint: CheckpointState, blocks: number): BlockName[] {
  return chosenBlocks(checkpoint).slice(0, blocks);
}

function thumbnail({ original, points, qualityMeasure }: SlimReport): RunSummary['curve'] {
  const at = (blocks: number, quality: typeof original) => ({
    blocks,
    quality: qualityShare(quality, qualityMeasure),
    loss: quality.loss.value,
  });
  return [
    at(0, original),
    ...points.map((point) => at(point.skipped.length, point.withScales ?? point.withoutScales)),
  ];
}

function blockScales(saved: SavedScales): BlockScales[] {
  const blocks = new Map<BlockName, BlockScales>();
  for (const [key, values] of Object.entries(saved)) {
    const [kind, ...name] = key.split(' ');
    // The final norm's gain belongs to no block.
    if (name.length < 2) continue;
    const block = name.join(' ') as BlockName;
    const entry: BlockScales = blocks.get(block) ?? { name: block };
    entry[kind as 'block' | 'residual' | 'offset' | 'gain'] = rangeOf(values);
    blocks.set(block, entry);
  }
  return [...blocks.values()];
}

function rangeOf(values: readonly number[]): { mean: number; low: number; high: number } {
  let [sum, low, high] = [0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { mean: sum / values.length, low, high };
}
