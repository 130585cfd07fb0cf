/**
 * Blocks of 256 elements whose smaller blocks have scales of their own, themselves in a few bits (ggml's Q2_K to Q6_K and
 * IQ4_XS).
 */
import type { Codes, ElementType } from './element-type.js';
import { half } from './half-table.js';
import { NONLINEAR_LEVELS } from './plain-blocks.js';

const SUPER = 256;

interface Layout {
  name: string;
  bytes: number;
  scaleBlock: 16 | 32;
  levels: number;
  /** Absent where blocks have minima. */
  zero?: number;
  /** Writes one super-block: codes from `to`, scales (and minima) from `first`. */
  read(data: Uint8Array, start: number, out: Codes, to: number, first: number): void;
}

function superBlocks({ name, bytes, scaleBlock, levels, zero, read }: Layout): ElementType {
  const decode = (data: Uint8Array): Codes => {
    const count = data.length / bytes;
    const blocks = (count * SUPER) / scaleBlock;
    const out: Codes = {
      block: scaleBlock,
      codes: new Uint8Array(count * SUPER),
      scales: new Float32Array(blocks),
      minima: zero === undefined ? new Float32Array(blocks) : undefined,
    };
    for (let index = 0; index < count; index += 1)
      read(data, index * bytes, out, index * SUPER, (index * SUPER) / scaleBlock);
    return out;
  };
  return { name, block: SUPER, bytes, coded: { scaleBlock, zero, levels, decode } };
}

/** 16 bytes of scale (low half) and minimum (high half), 64 bytes of codes, two float16. */
export const Q2_K = superBlocks({
  name: 'Q2_K',
  bytes: 84,
  scaleBlock: 16,
  levels: 4,
  read(data, start, { codes, scales, minima }, to, first) {
    const [scale, minimum] = [half(data, start + 80), half(data, start + 82)];
    for (let i = 0; i < 16; i += 1) {
      scales[first + i] = scale * (data[start + i]! & 15);
      minima![first + i] = -(minimum * (data[start + i]! >> 4));
    }
    spreadPairs(data, start + 16, codes, to);
  },
});

/** 32 bytes of high bits, 64 of low pairs, 12 of scales in 6 bits, one float16. */
export const Q3_K = superBlocks({
  name: 'Q3_K',
  bytes: 110,
  scaleBlock: 16,
  levels: 8,
  zero: 4,
  read(data, start, { codes, scales }, to, first) {
    const scale = half(data, start + 108);
    const packed = start + 96;
    for (let i = 0; i < 16; i += 1) {
      const low = (data[packed + (i & 7)]! >> (i < 8 ? 0 : 4)) & 15;
      const high = (data[packed + 8 + (i & 3)]! >> (2 * (i >> 2))) & 3;
      scales[first + i] = scale * ((low | (high << 4)) - 32);
    }
    spreadPairs(data, start + 32, codes, to);
    for (let i = 0; i < SUPER; i += 1) codes[to + i]! |= ((data[start + (i & 31)]! >> (i >> 5)) & 1) << 2;
  },
});

/** Two float16, 12 bytes of scales and minima in 6 bits, 128 bytes of codes. */
export const Q4_K = superBlocks({
  name: 'Q4_K',
  bytes: 144,
  scaleBlock: 32,
  levels: 16,
  read(data, start, out, to, first) {
    readSixBitPairs(data, start, out, first);
    spreadHalves(data, start + 16, out.codes, to);
  },
});

/** As Q4_K, with 32 bytes of fifth bits before the codes. */
export const Q5_K = superBlocks({
  name: 'Q5_K',
  bytes: 176,
  scaleBlock: 32,
  levels: 32,
  read(data, start, out, to, first) {
    readSixBitPairs(data, start, out, first);
    spreadHalves(data, start + 48, out.codes, to);
    for (let i = 0; i < SUPER; i += 1)
      out.codes[to + i]! |= ((data[start + 16 + (i & 31)]! >> (i >> 5)) & 1) << 4;
  },
});

/** 128 bytes of low halves, 64 of high pairs, 16 signed scales, one float16. */
export const Q6_K = superBlocks({
  name: 'Q6_K',
  bytes: 210,
  scaleBlock: 16,
  levels: 64,
  zero: 32,
  read(data, start, { codes, scales }, to, first) {
    const scale = half(data, start + 208);
    for (let i = 0; i < 16; i += 1) scales[first + i] = scale * ((data[start + 192 + i]! << 24) >> 24);
    for (let i = 0; i < SUPER; i += 1) {
      // Each half of 128: four rows of 32, the two first in low halves of bytes, the two last in high ones.
      const [part, row, column] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = (data[start + part * 64 + (row & 1) * 32 + column]! >> (row < 2 ? 0 : 4)) & 15;
      const high = (data[start + 128 + part * 32 + column]! >> (2 * row)) & 3;
      codes[to + i] = low | (high << 4);
    }
  },
});

/** One float16, scales in 6 bits (two bytes of high pairs, four of low halves), 128 bytes of codes into IQ4_NL's levels. */
export const IQ4_XS = superBlocks({
  name: 'IQ4_XS',
  bytes: 136,
  scaleBlock: 32,
  levels: 256,
  zero: 128,
  read(data, start, { codes, scales }, to, first) {
    const scale = half(data, start);
    const highs = data[start + 2]! | (data[start + 3]! << 8);
    for (let i = 0; i < 8; i += 1) {
      const low = (data[start + 4 + (i >> 1)]! >> (4 * (i & 1))) & 15;
      scales[first + i] = scale * ((low | (((highs >> (2 * i)) & 3) << 4)) - 32);
      for (let j = 0; j < 16; j += 1) {
        const byte = data[start + 8 + i * 16 + j]!;
        codes[to + i * 32 + j] = NONLINEAR_LEVELS[byte & 15]!;
        codes[to + i * 32 + j + 16] = NONLINEAR_LEVELS[byte >> 4]!;
      }
    }
  },
});

/** Four rows of 32 elements in each 32 bytes, two bits each. */
function spreadPairs(data: Uint8Array, from: number, codes: Uint8Array, to: number): void {
  for (let i = 0; i < SUPER; i += 1)
    codes[to + i] = (data[from + (i >> 7) * 32 + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
}

/** Two rows of 32 elements in each 32 bytes, four bits each. */
function spreadHalves(data: Uint8Array, from: number, codes: Uint8Array, to: number): void {
  for (let i = 0; i < SUPER; i += 1)
    codes[to + i] = (data[from + (i >> 6) * 32 + (i & 31)]! >> (4 * ((i >> 5) & 1))) & 15;
}

/** Eight scales and minima of 6 bits: the first four plainly, of the others the high pairs lie in the first ones' bytes. */
function readSixBitPairs(data: Uint8Array, start: number, { scales, minima }: Codes, first: number): void {
  const [scale, minimum] = [half(data, start), half(data, start + 2)];
  const packed = start + 4;
  for (let i = 0; i < 8; i += 1) {
    const j = i & 3;
    const [a, b, c] = [data[packed + j]!, data[packed + 4 + j]!, data[packed + 8 + j]!];
    scales[first + i] = scale * (i < 4 ? a & 63 : (c & 15) | ((a >> 6) << 4));
    minima![first + i] = -(minimum * (i < 4 ? b & 63 : (c >> 4) | ((b >> 6) << 4)));
  }
}
