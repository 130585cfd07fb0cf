import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-folder.js';
import { pastedRows, savePastedPrompts } from './pasted-prompts.js';

test('a prompt a line', () => {
  expect(pastedRows('One?\r\n  Two?  \n')).toEqual(['{"prompt":"One?"}', '{"prompt":"Two?"}']);
});

test('a prompt a paragraph where blank lines stand between them', () => {
  expect(pastedRows('Fix this:\na b\n\nAnd this:\nc')).toEqual([
    String.raw`{"prompt":"Fix this:\na b"}`,
    String.raw`{"prompt":"And this:\nc"}`,
  ]);
});

test('JSON lines as they are', () => {
  const row = '{"question":"a","answer":"b"}';
  expect(pastedRows(`${row}\n\n${row}`)).toEqual([row, row]);
});

test('the same text gives the same file; no text is refused', () => {
  const folder = path.join(temporaryFolder(), 'pasted');
  const first = savePastedPrompts(folder, 'One?\nTwo?');
  expect(first.rows).toBe(2);
  expect(savePastedPrompts(folder, 'One?\nTwo?\n').path).toBe(first.path);
  expect(readFileSync(first.path, 'utf8').trim().split('\n')).toHaveLength(2);
  expect(() => savePastedPrompts(folder, ' \n ')).toThrow('no prompt');
});
