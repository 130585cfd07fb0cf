/** The numbers that stored elements stand for. */
import type { ElementType } from './element-type.js';

/**
 * Elements as float32, with the same roundings as ggml's own (each product and each sum in float32).
 * @param bytes some whole blocks of the type
 */
export function dequantise(type: ElementType, bytes: Uint8Array): Float32Array {
  const { coded, float } = type;
  const out = new Float32Array((bytes.length / type.bytes) * type.block);
  if (!coded) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < out.length; i += 1) out[i] = float!(view, i * type.bytes);
    return out;
  }
  const { block, codes, scales, minima } = coded.decode(bytes);
  const zero = coded.zero ?? 0;
  for (let b = 0; b < scales.length; b += 1) {
    const scale = scales[b]!;
    const minimum = minima?.[b];
    for (let i = b * block; i < (b + 1) * block; i += 1) {
      const value = Math.fround(scale * (codes[i]! - zero));
      // Not plus 0 where there is none: a negative zero stays one.
      out[i] = minimum === undefined ? value : value + minimum;
    }
  }
  return out;
}
