/** Inputs that the fuzzer once found something with; they are dealt with now. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';
import { KINDS } from './kinds/index.js';
import { mutateValue } from './mutate-value.js';
import { outcomeOf } from './outcome.js';
import { Random } from './random.js';

const found = path.join(import.meta.dirname, 'found');
const names = existsSync(found) ? readdirSync(found) : [];

it.skipIf(names.length === 0).each(names)('%s', async (name) => {
  const folder = path.join(temporaryFolder(), 'input');
  cpSync(path.join(found, name), folder, { recursive: true });
  const kind = KINDS.find((each) => name.startsWith(`${each.name.replaceAll(/\W+/g, '-')}-`))!;
  expect((await outcomeOf(kind, folder)).is).toMatch(/^(read|refused)$/);
});

it('the same seed damages in the same way, another otherwise', () => {
  const value = { a: [1, 2, { b: 'c' }], d: null };
  const damaged = (seed: string) => JSON.stringify(mutateValue(new Random(seed), value));
  expect(damaged('1')).toBe(damaged('1'));
  expect(new Set(['1', '2', '3', '4'].map(damaged)).size).toBeGreaterThan(1);
});
