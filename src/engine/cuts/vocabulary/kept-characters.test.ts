/** Which bytes can be in the UTF-8 of texts of some scripts: tokens of byte pairs are often parts of characters. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeptCharacters } from './kept-characters.js';

const latin = new KeptCharacters(['Latn'], [], {});
const bytesOf = (text: string) => [...Buffer.from(text, 'utf8')];

describe('characters of Latin and those that all scripts share', () => {
  it('have every part of every text of theirs', () => {
    const text = fc.stringMatching(/^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]+$/u);
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (whole, start, length) => {
        const bytes = bytesOf(whole);
        const from = start % bytes.length;
        const part = bytes.slice(from, from + 1 + (length % (bytes.length - from)));
        expect(latin.hasText(whole)).toBe(true);
        expect(latin.hasBytes(part)).toBe(true);
      }),
    );
  });

  it.each([
    ['a letter of another script', bytesOf('д')],
    ['one behind a letter of Latin', bytesOf('aд')],
    ['the first byte of Cyrillic letters alone', [0xd0]],
    ['the first two bytes of hiragana alone', [0xe3, 0x81]],
    ['a letter of Latin and the first byte of Cyrillic letters', [0x61, 0xd0]],
    ['what is no text', [0xff, 0xfe]],
  ])('do not have %s', (_, bytes) => {
    expect(latin.hasBytes(bytes)).toBe(false);
  });

  it.each([
    ['the first three bytes of emoji', [0xf0, 0x9f, 0x98]],
    ['the first two bytes of quotation marks', [0xe2, 0x80]],
    ['the end of an emoji, and a space', [0x98, 0x80, 0x20]],
    ['the first two bytes of ideographic punctuation', [0xe3, 0x80]],
  ])('have %s', (_, bytes) => {
    expect(latin.hasBytes(bytes)).toBe(true);
  });
});

it('what a normaliser makes of kept characters is kept', () => {
  const composed = new KeptCharacters(['Latn'], [], { form: 'NFKC', lowerCase: true });
  expect(composed.hasText('\u{1D6C2}'.normalize('NFKC'))).toBe(true);
  expect(composed.hasText('㈱'.normalize('NFKC'))).toBe(true);
  expect(composed.hasText('д')).toBe(false);
});
