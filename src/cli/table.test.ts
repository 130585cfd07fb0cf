import { expect, it } from 'vitest';
import { formatTable } from './table.js';

const rows = [
  ['block', 'bytes'],
  ['attention', '7'],
  ['mlp', '1234'],
];

it('columns are as wide as their widest cell, under a header with a line', () => {
  expect(formatTable(rows).split('\n')).toEqual([
    'block      bytes',
    '---------  -----',
    'attention  7',
    'mlp        1234',
  ]);
});

it('numbers stand flush right, and the whole may be indented', () => {
  expect(formatTable(rows, { right: [1], indent: '  ' }).split('\n')).toEqual([
    '  block      bytes',
    '  ---------  -----',
    '  attention      7',
    '  mlp         1234',
  ]);
});

it('missing cells are blank, and no line ends in spaces', () => {
  expect(formatTable([['a', 'b'], ['long one']]).split('\n')).toEqual([
    'a         b',
    '--------  -',
    'long one',
  ]);
});
