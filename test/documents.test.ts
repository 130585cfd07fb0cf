/**
 * The documents hold together: what they link to is there, every decision is listed, and what they say of Node is so.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const FOLDERS = ['.', 'docs', 'docs/decisions', 'test/app'];
const documents = FOLDERS.flatMap((folder) =>
  readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(folder, name)),
);

/** Targets of links and pictures, without those on the web. */
function localLinks(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!).filter((t) => !/^\w+:/.test(t));
}

/** Whether a version is in a range as packages write them: `^20.19.0 || >=22.12.0`. */
function allows(range: string, [major, minor, patch]: readonly [number, number, number]): boolean {
  return range.split('||').some((part) => {
    const [, sign, numbers] = /^\s*(>=|\^|)\s*([\d.]+)/.exec(part)!;
    const [least = 0, second = 0, third = 0] = numbers!.split('.').map(Number);
    if (major !== least) return sign === '>=' && major > least;
    return minor > second || (minor === second && patch >= third);
  });
}

describe('documents', () => {
  it.each(documents)('%s links to files that are there', (document) => {
    const missing = localLinks(readFileSync(path.join(root, document), 'utf8')).filter(
      (target) => !existsSync(path.join(root, path.dirname(document), target.split('#')[0]!)),
    );
    expect(missing).toEqual([]);
  });

  it('list every decision', () => {
    const decisions = path.join(root, 'docs/decisions');
    const pages = readdirSync(decisions).filter((name) => /^\d{3}-/.test(name));
    const listed = localLinks(readFileSync(path.join(decisions, 'README.md'), 'utf8'));
    expect(listed.filter((target) => /^\d{3}-/.test(target))).toEqual(pages.toSorted());
  });

  it('`npm ci` warns of no package on the oldest Node that they promise', () => {
    const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { engines?: { node?: string } }>;
    };
    const tooNew = Object.entries(packages).filter(
      ([, { engines }]) => engines?.node !== undefined && !allows(engines.node, [20, 19, 0]),
    );
    // docs/decisions/051 says what is to be done.
    expect(tooNew.map(([name]) => name)).toEqual([]);
  });
});
