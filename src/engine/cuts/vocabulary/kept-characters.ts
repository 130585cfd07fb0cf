/** The characters of the scripts that are kept, and which bytes can be a part of their UTF-8. */
import { characterOf, COMMON_SCRIPTS } from './scripts.js';

/** Planes 0 to 3 and the tags of plane 14: no other has characters of a script. */
const RANGES = [
  [0, 0x3_ff_ff],
  [0xe_00_00, 0xe_0f_ff],
] as const;

const SURROGATES = [0xd8_00, 0xdf_ff] as const;

/** How a tokenizer changes characters before it cuts a text into tokens. */
export interface Normalisation {
  form?: 'NFC' | 'NFKC';
  lowerCase?: boolean;
}

export class KeptCharacters {
  readonly #isKept = new Uint8Array(0x11_00_00);
  /** Beginnings, ends and middles of the UTF-8 of kept characters, without whole ones; see `keyOf`. */
  readonly #starts = new Set<number>();
  readonly #ends = new Set<number>();
  readonly #middles = new Set<number>();

  /**
   * @param scripts their codes; characters that all scripts share are kept always
   * @param others further characters
   * @param normalisation what becomes of kept characters is kept as well
   */
  constructor(scripts: readonly string[], others: Iterable<string>, normalisation: Normalisation) {
    const isOfScript = characterOf([...COMMON_SCRIPTS, ...scripts]);
    for (const [first, last] of RANGES) {
      for (let code = first; code <= last; code += 1) {
        const isSurrogate = code >= SURROGATES[0] && code <= SURROGATES[1];
        if (!isSurrogate && isOfScript.test(String.fromCodePoint(code))) this.#isKept[code] = 1;
      }
    }
    for (const character of others) this.#isKept[character.codePointAt(0)!] = 1;
    this.#addNormalised(normalisation);
    this.#addParts();
  }

  /** Whether a text has only kept characters. */
  hasText(text: string): boolean {
    for (const character of text) if (this.#isKept[character.codePointAt(0)!] === 0) return false;
    return true;
  }

  /** Whether some text of kept characters has these bytes somewhere in its UTF-8. */
  hasBytes(bytes: readonly number[]): boolean {
    let place = 0;
    while (place < bytes.length && isContinuation(bytes[place]!)) place += 1;
    if (place === bytes.length) return this.#middles.has(keyOf(bytes));
    if (place > 0 && !this.#ends.has(keyOf(bytes.slice(0, place)))) return false;
    while (place < bytes.length) {
      const length = lengthOf(bytes[place]!);
      const character = bytes.slice(place, place + length);
      if (length === 0 || !character.slice(1).every(isContinuation)) return false;
      if (character.length < length) return this.#starts.has(keyOf(character));
      if (this.#isKept[codeOf(character)] !== 1) return false;
      place += length;
    }
    return true;
  }

  #addNormalised({ form, lowerCase = false }: Normalisation): void {
    if (form === undefined && !lowerCase) return;
    const decomposed = form === 'NFKC' ? 'NFKD' : 'NFD';
    const kept = [...this.#codes()];
    for (const code of kept) {
      const character = String.fromCodePoint(code);
      if (form !== undefined) this.#addAll(character.normalize(form) + character.normalize(decomposed));
      if (lowerCase) this.#addAll(character.toLowerCase());
    }
    if (form === undefined) return;
    // What kept characters are composed to: its decomposition holds kept characters alone.
    for (const [first, last] of RANGES) {
      for (let code = first; code <= last; code += 1) {
        if (this.#isKept[code] === 1 || (code >= SURROGATES[0] && code <= SURROGATES[1])) continue;
        const character = String.fromCodePoint(code);
        const parts = character.normalize('NFD');
        if (parts !== character && this.hasText(parts)) this.#isKept[code] = 1;
      }
    }
  }

  #addAll(text: string): void {
    for (const character of text) this.#isKept[character.codePointAt(0)!] = 1;
  }

  #addParts(): void {
    for (const code of this.#codes()) {
      const bytes = utf8Of(code);
      for (let cut = 1; cut < bytes.length; cut += 1) {
        this.#starts.add(keyOf(bytes.slice(0, cut)));
        this.#ends.add(keyOf(bytes.slice(cut)));
        for (let end = cut + 1; end <= bytes.length; end += 1)
          this.#middles.add(keyOf(bytes.slice(cut, end)));
      }
    }
  }

  *#codes(): Generator<number> {
    for (let code = 0; code < this.#isKept.length; code += 1) if (this.#isKept[code] === 1) yield code;
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Bytes of the character that a byte begins; 0 if it begins none. */
function lengthOf(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
}

function codeOf(bytes: readonly number[]): number {
  const [first, ...rest] = bytes;
  const own = rest.length === 0 ? first! : first! & (0x3f >> rest.length);
  return rest.reduce((code, byte) => code * 64 + (byte & 0x3f), own);
}

function utf8Of(code: number): number[] {
  const tail = (shift: number) => 0x80 | ((code >> shift) & 0x3f);
  if (code < 0x80) return [code];
  if (code < 0x8_00) return [0xc0 | (code >> 6), tail(0)];
  if (code < 0x1_00_00) return [0xe0 | (code >> 12), tail(6), tail(0)];
  return [0xf0 | (code >> 18), tail(12), tail(6), tail(0)];
}

/** Up to three bytes as one number that tells them from others. */
function keyOf(bytes: readonly number[]): number {
  return bytes.length > 3 ? -1 : bytes.reduce((key, byte) => key * 256 + byte, bytes.length);
}
