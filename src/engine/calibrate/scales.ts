/** The trained scales of a decoder: which there are, their starting values, and their form in files. */
import { blockName, type BlockName, type Decoder, type ResidualStep } from '../decoder/decoder.js';

/**
 * How fine the branch scales are: one number a branch (the published method), one an output channel, or one a channel
 * plus a constant vector that each skipped block leaves behind.
 */
export type Granularity = 'scalar' | 'channel' | 'channel+offset';

export const GRANULARITIES: readonly Granularity[] = ['scalar', 'channel', 'channel+offset'];

/**
 * 'branch attention 3' scales what attention block 3 adds to the residual stream, 'residual attention 3' the stream
 * that it is added to, 'offset attention 3' is what is added to the stream in the place of that block. For parallel
 * residuals the residual scale carries the name of the layer's first branch.
 */
export type ScaleKey = `${'branch' | 'residual' | 'offset'} ${BlockName}`;

/** One entry for scalars, one a hidden channel for vectors. A missing scale is 1, a missing offset 0. */
export type Scales = ReadonlyMap<ScaleKey, Float32Array>;

/** A residual step's name in scale keys; stays the same when branches of the step are deleted. */
export function stepName(decoder: Decoder, step: Pick<ResidualStep, 'layer' | 'branches'>): BlockName {
  const own = new Set(step.branches.map(blockName));
  const original = decoder.steps.find((candidate) => candidate.branches.some((b) => own.has(blockName(b))));
  if (!original)
    throw new RangeError(`No residual step of the decoder holds the blocks ${[...own].join(', ')}`);
  return blockName(original.branches[0]!);
}

/** The value at which training starts: 1 for scales, 0 for offsets. */
export function initialValue(key: ScaleKey): number {
  return key.startsWith('offset') ? 0 : 1;
}

/** Scales of the given sizes, where training starts. */
export function initialScales(sizes: ReadonlyMap<ScaleKey, number>): Map<ScaleKey, Float32Array> {
  return new Map([...sizes].map(([key, size]) => [key, new Float32Array(size).fill(initialValue(key))]));
}

/** Scales as plain data; float32 values survive the way through JSON unchanged. */
export type SavedScales = Record<string, number[]>;

export function saveScales(scales: Scales): SavedScales {
  return Object.fromEntries([...scales].map(([key, values]) => [key, Array.from(values)]));
}

export function restoreScales(saved: SavedScales): Map<ScaleKey, Float32Array> {
  return new Map(Object.entries(saved).map(([key, values]) => [key as ScaleKey, Float32Array.from(values)]));
}

export function copyScales(scales: Scales): Map<ScaleKey, Float32Array> {
  return new Map([...scales].map(([key, values]) => [key, values.slice()]));
}
