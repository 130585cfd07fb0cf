/** Options that run a decoder in segments. */
import type { Decoder } from '../../src/engine/decoder/decoder.js';
import { SegmentSlot } from '../../src/engine/runtime/segment-slot.js';
import type { SegmentOptions } from '../../src/engine/runtime/session.js';

/** Cuts of 2 segments of about the same number of layers, or of one layer a segment. */
export function segmentsOf(decoder: Decoder, count: 2 | 'all', inTurn: boolean): SegmentOptions {
  const { layerCount } = decoder;
  const all = Array.from({ length: layerCount - 1 }, (_, index) => index + 1);
  return {
    firstLayers: count === 'all' ? all : [layerCount >> 1],
    keptBytes: 1e6,
    ...(inTurn ? { slot: new SegmentSlot() } : {}),
  };
}
