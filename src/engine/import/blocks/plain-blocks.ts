/**
 * Blocks of 32 elements with one float16 scale each (ggml's Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and IQ4_NL). In those of 4 and 5
 * bits, byte j holds element j in its low half and element j + 16 in its high one.
 */
import type { Codes, ElementType } from './element-type.js';
import { half } from './half-table.js';

const BLOCK = 32;
const HALF = BLOCK / 2;

interface Layout {
  name: string;
  bits: 4 | 5 | 8;
  hasMinimum?: boolean;
  /** What a code stands for, plus 128, where codes are places of a table. */
  values?: readonly number[];
}

/** ggml's 16 levels of IQ4_NL. */
export const NONLINEAR_LEVELS = [
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
].map((level) => level + 128);

export const Q4_0 = plainBlocks({ name: 'Q4_0', bits: 4 });
export const Q4_1 = plainBlocks({ name: 'Q4_1', bits: 4, hasMinimum: true });
export const Q5_0 = plainBlocks({ name: 'Q5_0', bits: 5 });
export const Q5_1 = plainBlocks({ name: 'Q5_1', bits: 5, hasMinimum: true });
export const Q8_0 = plainBlocks({ name: 'Q8_0', bits: 8 });
export const IQ4_NL = plainBlocks({ name: 'IQ4_NL', bits: 4, values: NONLINEAR_LEVELS });

function plainBlocks({ name, bits, hasMinimum = false, values }: Layout): ElementType {
  const header = hasMinimum ? 4 : 2;
  const highBits = bits === 5 ? 4 : 0;
  const bytes = header + highBits + (bits === 8 ? BLOCK : HALF);
  const levels = values ? 256 : 2 ** bits;
  const decode = (data: Uint8Array): Codes => {
    const count = data.length / bytes;
    const codes = new Uint8Array(count * BLOCK);
    const scales = new Float32Array(count);
    const minima = hasMinimum ? new Float32Array(count) : undefined;
    for (let block = 0; block < count; block += 1) {
      const start = block * bytes;
      scales[block] = half(data, start);
      if (minima) minima[block] = half(data, start + 2);
      const from = start + header + highBits;
      const to = block * BLOCK;
      if (bits === 8) {
        // Signed bytes: flipping the highest bit adds 128.
        for (let i = 0; i < BLOCK; i += 1) codes[to + i] = data[from + i]! ^ 0x80;
        continue;
      }
      for (let i = 0; i < HALF; i += 1) {
        codes[to + i] = data[from + i]! & 15;
        codes[to + i + HALF] = data[from + i]! >> 4;
      }
      if (bits === 5) addFifthBits(data, start + header, codes, to);
      if (values) for (let i = 0; i < BLOCK; i += 1) codes[to + i] = values[codes[to + i]!]!;
    }
    return { block: BLOCK, codes, scales, minima };
  };
  return {
    name,
    block: BLOCK,
    bytes,
    coded: { scaleBlock: BLOCK, zero: hasMinimum ? undefined : levels / 2, levels, decode },
  };
}

/** Bit i of four bytes is the fifth bit of element i. */
function addFifthBits(data: Uint8Array, from: number, codes: Uint8Array, to: number): void {
  for (let i = 0; i < BLOCK; i += 1) codes[to + i]! |= ((data[from + (i >> 3)]! >> (i & 7)) & 1) << 4;
}
