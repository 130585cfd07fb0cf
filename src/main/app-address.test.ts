import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOf } from './app-address.js';

const folder = path.resolve('/app/renderer');

describe('files behind addresses', () => {
  test('the page itself and what it loads', () => {
    expect(fileOf(folder, 'app://hopscotch/')).toBe(path.join(folder, 'index.html'));
    expect(fileOf(folder, 'app://hopscotch/assets/a%20b.js?x=1')).toBe(path.join(folder, 'assets/a b.js'));
  });

  test.each([
    'app://elsewhere/index.html',
    'file:///etc/passwd',
    'https://hopscotch/index.html',
    'app://hopscotch/..%2f..%2fetc/passwd',
    'app://hopscotch/%00',
    'app://hopscotch/%E0%A4%A',
    'no address',
  ])('nothing for %s', (address) => {
    expect(fileOf(folder, address)).toBeUndefined();
  });
});
