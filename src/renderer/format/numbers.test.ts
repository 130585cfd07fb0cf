import { describe, expect, test } from 'vitest';
import { formatAmount, formatBytes, formatLoss, formatPercent, formatSaving, ordinal } from './numbers.js';
import { shortPath } from './paths.js';
import { formatDuration } from './times.js';

const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('numbers', () => {
  test.each([
    [formatBytes(0), '0 B'],
    [formatBytes(9_869_224), '9.87 MB'],
    [formatBytes(197_560), '198 kB'],
    [formatAmount(135_000_000), '135 M'],
    [formatAmount(11_400_000_000), '11 B'],
    [formatPercent(0.0206), '2.1 %'],
    [formatPercent(0.5), '50 %'],
    [formatSaving(0.15), '−15 %'],
    [formatSaving(0), '±0 %'],
    [formatLoss(0.02321), '0.0232'],
    [formatLoss(0.0000518), '5.2 × 10⁻⁵'],
    [formatLoss(0), '0.0000'],
    [ordinal(0), 'first'],
    [ordinal(20), '21st'],
    [ordinal(11), '12th'],
  ])('%s', (written, expected) => expect(plain(written)).toBe(expected));
});

test.each([
  [0.2, 'under 1 s'],
  [31, '31 s'],
  [407, '7 min'],
  [4800, '1 h 20 min'],
  [7200, '2 h'],
])('%d seconds are %s', (seconds, words) => expect(formatDuration(seconds)).toBe(words));

test('long paths keep their end', () => {
  expect(shortPath('/home/ada/models/smol', 60)).toBe('/home/ada/models/smol');
  expect(shortPath('/home/ada/.cache/huggingface/hub/models--x/snapshots/4f0c', 24)).toBe('…/snapshots/4f0c');
  expect(shortPath(String.raw`C:\Users\Ada\Documents\models\smol`, 20)).toBe(String.raw`…\models\smol`);
});
