import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { devServer, fileOf } from './app-address.js';

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

const named = { HOPSCOTCH_DEV_SERVER: 'http://127.0.0.1:5173' };

test('a development server is used only where it is named, on this machine, by an app that is not packaged', () => {
  expect(devServer(false, named)).toBe('http://127.0.0.1:5173');
  expect(devServer(true, named)).toBeUndefined();
  expect(devServer(false, {})).toBeUndefined();
  for (const address of ['http://example.org:80', 'http://127.0.0.1:80@example.org', 'file:///etc']) {
    expect(devServer(false, { HOPSCOTCH_DEV_SERVER: address })).toBeUndefined();
  }
});
