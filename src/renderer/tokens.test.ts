import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

/** Every colour that text is written in, and what it is written on. */
const TEXT_ON: Record<string, string[]> = {
  ink: ['paper', 'panel', 'hover', 'accent-wash', 'teal-wash', 'warning-wash', 'good-wash'],
  muted: ['paper', 'panel', 'hover'],
  accent: ['paper', 'panel', 'hover', 'accent-wash'],
  teal: ['paper', 'panel', 'hover', 'teal-wash'],
  good: ['paper', 'panel', 'good-wash'],
  warning: ['paper', 'warning-wash'],
  'on-accent': ['accent-fill', 'accent-hover'],
};

const sheet = readFileSync(path.join(import.meta.dirname, 'tokens.css'), 'utf8');
const [lightRules, darkRules] = sheet.split('@media');
const read = (rules: string) =>
  Object.fromEntries(
    Array.from(rules.matchAll(/--([\w-]+): (#[\da-f]{6})/g), ([, name, colour]) => [name!, colour!]),
  );
const light = read(lightRules!);
const dark = { ...light, ...read(darkRules!) };

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((start) => parseInt(colour.slice(start, start + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

describe.each([
  ['light', light],
  ['dark', dark],
])('text in %s colours can be read', (_scheme, tokens) => {
  const pairs = Object.entries(TEXT_ON).flatMap(([text, grounds]) =>
    grounds.map((ground) => [text, ground] as const),
  );
  test.each(pairs)('%s on %s', (text, ground) => {
    expect(contrast(tokens[text]!, tokens[ground]!)).toBeGreaterThanOrEqual(4.5);
  });
});
