/** Runs as shells show them: a line each, or all that one has found. */
import { existsSync } from 'node:fs';
import type { BlockName } from '../../schema/blocks.js';
import { measuredPoint, qualityShare, type RunReport } from '../../schema/report.js';
import type { BlockScales, Run, RunDetails, RunFindings, RunSummary } from '../../schema/runs.js';
import type { CheckpointState } from '../calibrate/checkpoint.js';
import type { SavedScales } from '../decoder/scales.js';
import { readCheckpoint } from './checkpoint-file.js';
import { readKept } from './kept-json.js';
import { readReport } from './report.js';
import type { RunStore } from './run-store.js';

/** Newest first. */
export function listRuns(store: RunStore): RunSummary[] {
  return store.list().map((run) => runSummary(store, run));
}

export function runSummary(store: RunStore, run: Run): RunSummary {
  const { version: _v, process: _p, ...summary } = run;
  const report = keptReport(store, run);
  return {
    ...summary,
    resumable: ['running', 'stopped', 'failed'].includes(run.status),
    curve: report ? thumbnail(report) : [],
    layers: report?.layers,
    chosenPoint: report?.chosenPoint,
  };
}

/** @throws UserError if there is no such run */
export function runDetails(store: RunStore, id: string): RunDetails {
  const run = store.openExactly(id);
  const checkpoint = keptCheckpoint(store, run);
  const report = keptReport(store, run);
  const points = trainedPoints(checkpoint, report);
  return {
    summary: runSummary(store, run),
    findings: findingsOf(checkpoint),
    scales: Object.fromEntries(
      Object.entries(checkpoint?.training ?? {}).map(([blocks, { best }]) => [
        blocks,
        blockScales(best.scales),
      ]),
    ),
    trainedPoints: points,
    measured: Object.fromEntries(
      points.flatMap((blocks) => {
        const kept = readKept(store.measuredFile(run, blocks), measuredPoint);
        return kept ? [[blocks, kept]] : [];
      }),
    ),
    report,
  };
}

/** A run may have been stopped between training a point's scales and measuring it. */
function trainedPoints(
  checkpoint: CheckpointState | undefined,
  report: RunReport | undefined,
): RunDetails['trainedPoints'] {
  const measured = report?.points.map(({ skipped }) => skipped.length) ?? [];
  return measured.filter((blocks) => checkpoint?.training[String(blocks)]?.finished);
}

/** What a checkpoint holds, as a page draws it. */
export function findingsOf(checkpoint: CheckpointState | undefined): RunFindings {
  return {
    rounds: (checkpoint?.rounds ?? []).map(({ losses, rises, chosen }) => ({ losses, rises, chosen })),
    training: Object.fromEntries(
      Object.entries(checkpoint?.training ?? {}).map(([blocks, { epochs }]) => [blocks, epochs]),
    ),
  };
}

/** Undefined where the run has not come that far, or the file is damaged. */
export function keptCheckpoint(store: RunStore, run: Run): CheckpointState | undefined {
  const file = store.checkpointFile(run);
  try {
    return existsSync(file) ? readCheckpoint(file) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where the run has measured nothing yet, or the file is damaged. */
export function keptReport(store: RunStore, run: Run): RunReport | undefined {
  const file = store.reportFile(run);
  try {
    return existsSync(file) ? readReport(file) : undefined;
  } catch {
    return undefined;
  }
}

function thumbnail({ original, points, qualityMeasure }: RunReport): RunSummary['curve'] {
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
