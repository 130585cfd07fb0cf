/** Damage to bytes: what broken downloads, other tools and ill will make of a file. */
import type { Random } from './random.js';

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff];

export function mutateBytes(random: Random, bytes: Uint8Array): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (let left = random.some(8); left > 0; left -= 1) changed = once(random, changed);
  return changed;
}

function once(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return Buffer.from([random.below(256)]);
  const at = random.below(bytes.length);
  const length = Math.min(bytes.length - at, random.some(64));
  switch (random.below(7)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 3: {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ (1 << random.below(8));
      return changed;
    }
    case 4: {
      const changed = Buffer.from(bytes);
      changed.fill(random.pick(NUMBERS), at, at + length);
      return changed;
    }
    case 5: {
      const inserted = Buffer.from(Array.from({ length }, () => random.below(256)));
      return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
    }
    default: {
      const changed = Buffer.from(bytes);
      changed.copyWithin(at, random.below(bytes.length), bytes.length);
      return changed;
    }
  }
}

const PIECES = [
  '"',
  "'",
  ',',
  ';',
  '\t',
  '\n',
  '\r',
  '\0',
  '{',
  '}',
  '[',
  ']',
  '\\',
  '\uFEFF',
  '\u202E',
  '😀',
  '{{',
  '{%',
  '%}',
  'null',
  '1e999',
  '-',
  '__proto__',
];

/** Damage to text that leaves it text, for the most part. */
export function mutateText(random: Random, text: string): string {
  let changed = text;
  for (let left = random.some(6); left > 0; left -= 1) {
    const at = random.below(changed.length + 1);
    const end = at + random.some(40);
    const [before, cut, after] = [changed.slice(0, at), changed.slice(at, end), changed.slice(end)];
    const piece = random.pick(PIECES);
    changed = random.pick([
      before + after,
      before + cut + cut + after,
      before + piece + cut + after,
      before + piece.repeat(random.some(2000)) + cut + after,
      after + before,
      before + cut.toUpperCase() + after,
    ]);
  }
  return changed;
}
