/**
 * The check of an export before any work is done: what cannot be written is known at the start of a job, and not after an
 * evening's calibration.
 */
import type { BlockName } from '../../schema/blocks.js';
import type { ExportMode, Granularity } from '../../schema/settings.js';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { hashToUnit } from '../data/seeded-random.js';
import { blockName, blocksOf, type Decoder } from '../decoder/decoder.js';
import { initialValue, type ScaleKey } from '../decoder/scales.js';
import { openForwardModel } from '../loss/forward-model.js';
import type { LossBatch } from '../loss/loss-batch.js';
import type { RunOptions } from '../runtime/session.js';
import { slimmedModel, writeSlimmedModel } from './slimmed-model.js';
import { explicitReason, requireSame, UnwritableScales } from './unwritable-scales.js';
import { verifyExport, type ExportCheck } from './verify-export.js';

export interface TrialRequest {
  original: Decoder;
  granularity: Granularity;
  /** The mode that is asked for. */
  mode: ExportMode;
  /** A row or two of the task. */
  batches: readonly LossBatch[];
  /** A folder in which a file of the model's size may lie for a moment. */
  scratch: string;
  runOptions?: RunOptions;
}

export interface TrialResult {
  /** The mode in which scales give the trained model: explicit where folding does not. */
  mode: ExportMode;
  /** One sentence: why it is not the mode that was asked for. */
  reason?: string;
  verification: ExportCheck;
}

const TRIAL = '.hopscotch-trial-';

/** How far the scales that are tried are from where they begin. */
const AMPLITUDE = 0.05;

/**
 * Writes the model once with random scales and without a block of its middle, and compares it with the gated model, as
 * an export does.
 * @throws UserError if it can be written in neither mode
 */
export async function tryExport(request: TrialRequest): Promise<TrialResult> {
  clearTrials(request.scratch);
  try {
    return { mode: request.mode, verification: await tryMode(request) };
  } catch (error) {
    if (!(error instanceof UnwritableScales) || request.mode === 'explicit') throw error;
    const verification = await tryMode({ ...request, mode: 'explicit' });
    return { mode: 'explicit', reason: explicitReason(error, 'will be'), verification };
  }
}

/** What a process that was killed has left; a run's folder is nobody else's as long as this one works on it. */
function clearTrials(scratch: string): void {
  for (const name of readdirSync(scratch))
    if (name.startsWith(TRIAL)) rmSync(path.join(scratch, name), { recursive: true, force: true });
}

async function tryMode(request: TrialRequest): Promise<ExportCheck> {
  const { original, granularity, mode, batches, runOptions } = request;
  const skipped = blockToTry(original);
  const trained = await openForwardModel(original, {
    skipped,
    granularity,
    ...(runOptions ? { runOptions } : {}),
  });
  const folder = mkdtempSync(path.join(request.scratch, TRIAL));
  try {
    const scales = randomScales(trained.scaleSizes);
    const file = path.join(folder, 'model.onnx');
    const slimmed = slimmedModel({ original, skipped, scales, granularity, mode });
    await writeSlimmedModel(slimmed, original, file);
    return requireSame(await verifyExport(file, trained, scales, batches, runOptions));
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await trained.release();
  }
}

/** An attention block of the middle, if one can be spared. */
function blockToTry(decoder: Decoder): BlockName[] {
  const attention = blocksOf(decoder).filter(({ kind }) => kind === 'attention');
  return attention.length > 1 ? [blockName(attention[Math.floor(attention.length / 2)]!)] : [];
}

function randomScales(sizes: ReadonlyMap<ScaleKey, number>): Map<ScaleKey, Float32Array> {
  return new Map(
    [...sizes].map(([key, size]) => [
      key,
      Float32Array.from(
        { length: size },
        (_, index) => initialValue(key) + AMPLITUDE * (2 * hashToUnit(index, key) - 1),
      ),
    ]),
  );
}
