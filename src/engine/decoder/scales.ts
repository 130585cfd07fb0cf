/** The trained scales of a decoder: which there are, their starting values, and their form in files. */
import type { Granularity } from '../../schema/settings.js';
import type { BlockName } from '../../schema/blocks.js';
import { blockName, blocksOf, type Decoder, type ResidualStep } from './decoder.js';

export function hasGains(granularity: Granularity): boolean {
  return granularity.includes('+gain');
}

/** The granularity of a model from which no block is deleted, and which has no place for offsets. */
export function withoutOffsets(granularity: Granularity): Granularity {
  return granularity.replace('+offset', '') as Granularity;
}

export function hasOffsets(granularity: Granularity): boolean {
  return granularity.includes('+offset');
}

/**
 * 'block attention 3' scales what attention block 3 adds to the residual stream, 'residual attention 3' the stream
 * that it is added to, 'gain attention 3' what its norm gives ('gain final' the final norm), 'offset attention 3' is
 * what is added to the stream in the place of that block. For parallel residuals the residual scale carries the name of
 * the layer's first block, and so does the gain of a norm that both blocks read.
 */
export type ScaleKey = `${'block' | 'residual' | 'offset' | 'gain'} ${BlockName}` | 'gain final';

/** One entry for scalars, one a hidden channel for vectors. A missing scale is 1, a missing offset 0. */
export type Scales = ReadonlyMap<ScaleKey, Float32Array>;

/** A residual step's name in scale keys; stays the same when blocks of the step are deleted. */
export function stepName(decoder: Decoder, step: Pick<ResidualStep, 'layer' | 'blocks'>): BlockName {
  const own = new Set(step.blocks.map(blockName));
  const original = decoder.steps.find((candidate) => candidate.blocks.some((b) => own.has(blockName(b))));
  if (!original)
    throw new RangeError(`No residual step of the decoder holds the blocks ${[...own].join(', ')}`);
  return blockName(original.blocks[0]!);
}

/** A norm's name in scale keys; stays the same when blocks that read it are deleted. */
export function normName(decoder: Decoder, name: BlockName): BlockName {
  const blocks = blocksOf(decoder);
  const own = blocks.find((block) => blockName(block) === name);
  if (!own) throw new RangeError(`The decoder has no block ${name}`);
  return blockName(blocks.find(({ norm }) => norm && norm.output === own.norm?.output) ?? own);
}

/** The value at which training starts: 1 for scales, 0 for offsets. */
export function initialValue(key: ScaleKey): number {
  return key.startsWith('offset') ? 0 : 1;
}

/** Scales of the given sizes, where training starts: as others have them, or at their starting values. */
export function initialScales(
  sizes: ReadonlyMap<ScaleKey, number>,
  others: Scales = new Map(),
): Map<ScaleKey, Float32Array> {
  return new Map(
    [...sizes].map(([key, size]) => {
      const known = others.get(key);
      return [key, known?.length === size ? known.slice() : new Float32Array(size).fill(initialValue(key))];
    }),
  );
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

/** By how much scales differ from others of the same keys and sizes. */
export function scaleChanges(scales: Scales, from: Scales): Map<ScaleKey, Float32Array> {
  return new Map(
    [...scales].map(([key, values]) => {
      const before = from.get(key)!;
      return [key, values.map((value, index) => value - before[index]!)];
    }),
  );
}

/** Adds changes to scales in place. */
export function addScales(scales: Map<ScaleKey, Float32Array>, changes: Scales): void {
  for (const [key, change] of changes) {
    const values = scales.get(key)!;
    change.forEach((value, index) => (values[index] = values[index]! + value));
  }
}
