import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runReport } from '../../../test/support/run-report.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { saveReport } from '../runs/report.js';
import { RunStore } from '../runs/run-store.js';
import { checkedSettings } from './parts/settings.js';
import { jobContext } from './context.js';
import { writeReport } from './write-report.js';

const folder = temporaryFolder();
const context = jobContext({ store: new RunStore(path.join(folder, 'runs')), cache: folder });
const run = context.store.create(
  checkedSettings({ model: path.join(folder, 'gone'), dataset: path.join(folder, 'task.jsonl') }),
);
saveReport(context.store.reportFile(run), runReport());

it('a run whose model is gone still has a report, which says why it shows no answers', async () => {
  const file = path.join(folder, 'report.html');
  expect(await writeReport({ run: run.id, file }, context)).toEqual({ file, csv: undefined });
  const page = readFileSync(file, 'utf8');
  expect(page).toMatch(/There are no answers: /);
  expect(page).toMatch(/<svg\b.*Quality by number of skipped blocks/s);
  expect(page).toContain('without scales');
  // Nothing of where things lie on this machine, but in the reason why something is missing.
  expect(page.split(folder)).toHaveLength(2);
});

it('is linked from the README of an exported folder, once, and replaces no other file', async () => {
  writeFileSync(path.join(folder, 'README.md'), '# Slimmed\n');
  writeFileSync(path.join(folder, 'hopscotch.json'), '{}');
  const file = path.join(folder, 'report.html');
  await writeReport({ run: run.id, blocks: 1, file }, context);
  await writeReport({ run: run.id, blocks: 1, file }, context);
  expect(readFileSync(path.join(folder, 'README.md'), 'utf8').match(/report\.html>/g)).toHaveLength(1);

  const other = path.join(folder, 'thesis.html');
  writeFileSync(other, '<h1>My thesis</h1>');
  const asked = { run: run.id, file: other };
  await expect(writeReport(asked, context)).rejects.toThrow(/is no report; choose another name/);
  await expect(writeReport({ ...asked, file: path.join(folder, 'report.pdf') }, context)).rejects.toThrow(
    "let '",
  );
  await expect(writeReport({ ...asked, file, blocks: 9 }, context)).rejects.toThrow('it has 1, 2');
  await writeReport({ ...asked, overwrite: true }, context);
  expect(existsSync(path.join(folder, 'thesis.csv'))).toBe(false);
});
