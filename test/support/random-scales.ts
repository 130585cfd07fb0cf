/** Made-up scales and rows for the small decoders of test/graphs: the same in every run. */
import type { BlockName } from '../../src/schema/blocks.js';
import type { Granularity } from '../../src/schema/settings.js';
import { makeLossBatch, type LossBatch } from '../../src/engine/loss/loss-batch.js';
import { initialValue, type ScaleKey } from '../../src/engine/decoder/scales.js';
import { gateSize } from '../../src/engine/loss/gated-decoder.js';
import { gatedDecoder } from '../../src/engine/loss/forward-model.js';
import { hashToUnit } from '../../src/engine/data/seeded-random.js';
import type { Decoder } from '../../src/engine/decoder/decoder.js';

/** In [-1, 1). */
export function randomNumber(name: string, index: number): number {
  return 2 * hashToUnit(index, name) - 1;
}

/** Of a decoder of three layers: blocks of both kinds, one of them right behind the other. */
export const skippedOfBothKinds: readonly BlockName[] = ['mlp 1', 'attention 2'];

/** All scales within a fifth of 1, offsets of up to a fifth. */
export function randomScales(
  decoder: Decoder,
  skipped: readonly BlockName[],
  granularity: Granularity,
): Map<ScaleKey, Float32Array> {
  const { gates } = gatedDecoder(decoder, { skipped, granularity });
  return new Map(
    gates.map((gate) => [
      gate.key,
      Float32Array.from(
        { length: gateSize(gate) },
        (_, i) => initialValue(gate.key) + 0.2 * randomNumber(gate.key, i),
      ),
    ]),
  );
}

/** Four rows of different lengths, other ones for another seed; the last two thirds or so are the response. */
export function lossBatchOf(decoder: Decoder, seed = 0): LossBatch {
  return batchOf(decoder, seed, (row) => row);
}

/** The same, but all begin with the same token, the first and third with the same three. */
export function alikeBatchOf(decoder: Decoder): LossBatch {
  return batchOf(decoder, 0, (row, at) => {
    if (at === 0) return 0;
    return row === 2 && at < 3 ? 0 : row;
  });
}

/** @param ownFrom the row whose tokens stand at a position of a row */
function batchOf(decoder: Decoder, seed: number, ownFrom: (row: number, at: number) => number): LossBatch {
  const rows = [7, 5, 9, 6].map((length, row) => ({
    ids: Array.from(
      { length },
      (_, at) => (at * 7 + ownFrom(row, at) * 11 + at * at + seed * (at + 3)) % decoder.vocabularySize,
    ),
    responseStart: 2 + (row % 2),
  }));
  return makeLossBatch(decoder, rows, 0);
}
