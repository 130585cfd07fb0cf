/** The documents hold together: what they link to is there, and every decision is listed. */
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
});
