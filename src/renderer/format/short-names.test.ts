import { expect, test } from 'vitest';
import { namesInLine, shortNames } from './short-names.js';

test('names side by side are told apart by what they do not share', () => {
  expect(shortNames(['SmolLM2, original', 'SmolLM2, chat, 3 skipped'])).toEqual([
    'original',
    'chat, 3 skipped',
  ]);
  expect(shortNames(['SmolLM2, chat, 3 skipped', 'Gemma, chat, 3 skipped'])).toEqual([
    'SmolLM2, chat, 3 skipped',
    'Gemma, chat, 3 skipped',
  ]);
});

test('a name alone, and names that are the same, stay names', () => {
  expect(shortNames(['SmolLM2, original'])).toEqual(['SmolLM2, original']);
  expect(shortNames(['SmolLM2', 'SmolLM2'])).toEqual(['SmolLM2', 'SmolLM2']);
});

test('a line of names says once what they share', () => {
  expect(namesInLine(['SmolLM2, original', 'SmolLM2, chat, 3 skipped'])).toBe(
    'SmolLM2: original · chat, 3 skipped',
  );
  expect(namesInLine(['SmolLM2', 'Gemma, original'])).toBe('SmolLM2 · Gemma, original');
  expect(namesInLine(['SmolLM2, original'])).toBe('SmolLM2, original');
});
