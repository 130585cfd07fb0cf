/** Runs on disk, some of them damaged or old: what can be saved of them is shown, and they hide nothing else. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { runReport } from '../../../test/support/run-report.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { answerComparison, measuredPoint } from '../../schema/report.js';
import { runSummary } from '../../schema/runs.js';
import { jobSettings } from '../../schema/settings.js';
import { readKept, writeKept } from './kept-json.js';
import { saveReport } from './report.js';
import { requireWhole } from './damaged-run.js';
import { keptReport, listRuns, runDetails } from './run-details.js';
import { RunStore } from './run-store.js';

const settings = v.parse(jobSettings, { model: '/models/tiny', dataset: '/data/nuts.jsonl' });
let store: RunStore;
beforeEach(() => {
  store = new RunStore(path.join(temporaryFolder(), 'runs'));
});
const made = (day: number) => store.create(settings, new Date(Date.UTC(2026, 0, day)));
const ids = () => store.list().map(({ id }) => id);
const runFile = (id: string) => path.join(store.folderOf(id), 'run.json');

describe('the list of runs', () => {
  it('is empty before the first', () => expect(store.list()).toEqual([]));

  it('has the newest first, each named after its day, model and dataset', () => {
    for (const day of [2, 3, 1]) made(day);
    expect(ids()).toEqual([3, 2, 1].map((day) => `2026010${day}-000000-tiny-nuts`));
  });

  it('has two of the same second under two names', () => {
    made(1);
    expect(made(1).id).toBe('20260101-000000-tiny-nuts-2');
  });

  it.each<[string, (text: string) => string]>([
    ['cut off', (text) => text.slice(0, 40)],
    ['empty', () => ''],
    ['no object', () => 'null'],
    ['of another version', (text) => text.replace('"version": 1', '"version": 9')],
    ['of settings that there are not', (text) => text.replace('"contest"', '"magic"')],
  ])('has a run whose run.json is %s as damaged, with what it measured, beside the others', (_, damage) => {
    const [first, last, bad] = [made(1), made(2), made(3)];
    saveReport(store.reportFile(bad), runReport());
    writeFileSync(runFile(bad.id), damage(readFileSync(runFile(bad.id), 'utf8')));
    expect(ids()).toEqual([bad.id, last.id, first.id]);
    const [shown] = listRuns(store);
    expect(shown).toMatchObject({ status: 'damaged', resumable: false, layers: 12, created: bad.created });
    expect(shown!.curve).toHaveLength(3);
    expect(v.is(runSummary, shown)).toBe(true);
    expect(store.open('last').id).toBe(last.id);
    expect(() => requireWhole(store.open(bad.id))).toThrow(/^The run .* cannot be worked with: .*\.$/);
    store.delete(store.open(bad.id));
    expect(ids()).toEqual([last.id, first.id]);
  });

  it('saves of a damaged run each value that still fits', () => {
    const run = store.create({ ...settings, strategy: 'cosine' });
    store.update(run, { title: 'Nuts', exportedTo: '/out' });
    const text = readFileSync(runFile(run.id), 'utf8');
    writeFileSync(
      runFile(run.id),
      text.replace('"own"', '"whose"').replace('"created": "', '"created": 5, "x": "'),
    );
    expect(store.open(run.id)).toMatchObject({
      title: 'Nuts',
      exportedTo: '/out',
      settings: { model: '/models/tiny', strategy: 'cosine', responses: 'own' },
    });
  });

  it.each(['../../victim', '20260101-000000-tiny-nuts'])(
    'calls a run as its folder, and deletes that, where its file says %s',
    (name) => {
      const [other, copied] = [made(1), made(2)];
      const text = readFileSync(runFile(copied.id), 'utf8').replace(copied.id, name);
      writeFileSync(runFile(copied.id), text);
      expect(ids()).toEqual([copied.id, other.id]);
      store.delete(store.open(copied.id));
      expect(ids()).toEqual([other.id]);
    },
  );

  it('passes over files, and folders that hold something else', () => {
    const run = made(1);
    writeFileSync(path.join(store.folder, 'notes.txt'), 'mine');
    mkdirSync(path.join(store.folder, 'photographs'));
    mkdirSync(runFile('odd'), { recursive: true });
    expect(ids()).toEqual([run.id]);
  });
});

describe('a run', () => {
  it('is opened by its name, a beginning that no other has, or as the last', () => {
    const [first, second] = [made(1), made(2)];
    expect(store.open(first.id).id).toBe(first.id);
    expect(store.open('20260102').id).toBe(second.id);
    expect(store.open('last').id).toBe(second.id);
    expect(() => store.open('202601')).toThrow("'202601' could be any of 2 runs; write more of its name.");
    expect(() => store.open('first')).toThrow(/There is no run 'first'/);
  });

  it('whose process is gone has stopped, whatever its file says', () => {
    const run = made(1);
    store.update(run, { status: 'running', process: process.pid });
    expect(store.open(run.id).status).toBe('running');
    store.update(run, { process: 2 ** 30 });
    expect(store.open(run.id).status).toBe('stopped');
  });

  it('keeps what another process has written when it changes', () => {
    const run = made(1);
    const elsewhere = store.openExactly(run.id);
    store.update(elsewhere, { title: 'Nuts' });
    store.update(run, { status: 'finished' });
    expect(store.openExactly(run.id)).toMatchObject({ title: 'Nuts', status: 'finished' });
  });
});

describe('a report in the run’s folder', () => {
  it('shows as the run’s curve', () => {
    const run = made(1);
    saveReport(store.reportFile(run), runReport());
    expect(keptReport(store, run)).toEqual(runReport());
    expect(listRuns(store)[0]).toMatchObject({ layers: 12, chosenPoint: 2 });
    expect(listRuns(store)[0]!.curve.map(({ blocks, quality }) => [blocks, quality])).toEqual([
      [0, 1],
      [1, 0.75],
      [2, 0.75],
    ]);
  });

  it.each<[string, (text: string) => string]>([
    ['cut off', (text) => text.slice(0, 100)],
    ['of another version', (text) => text.replace('"version": 1', '"version": 0')],
    ['of other words', (text) => text.replaceAll('attention 8', 'branch 8')],
  ])('that is %s is as good as not there', (_, damage) => {
    const [run, other] = [made(1), made(2)];
    saveReport(store.reportFile(other), runReport());
    saveReport(store.reportFile(run), runReport());
    writeFileSync(store.reportFile(run), damage(readFileSync(store.reportFile(run), 'utf8')));
    expect(keptReport(store, run)).toBeUndefined();
    expect(runDetails(store, run.id)).toMatchObject({ trainedPoints: [], summary: { curve: [] } });
    expect(runDetails(store, run.id).report).toBeUndefined();
    expect(listRuns(store).map(({ curve }) => curve.length)).toEqual([3, 0]);
  });
});

describe('results kept beside it', () => {
  const sure = { value: 1, low: 1, high: 1 };
  const answers = {
    prompts: 1,
    original: {},
    slimmed: {},
    same: sure,
    rows: [{ line: 1, original: 'a', slimmed: 'a' }],
  };
  const sizes = { sizes: { original: { modelBytes: 9 }, slimmed: { modelBytes: 8 } } };

  it.each([
    ['answers', answerComparison, answers],
    ['sizes and speed', measuredPoint, sizes],
  ] as const)(
    '%s come back as they were, and not at all where they are damaged or old',
    (_, schema, value) => {
      const file = path.join(temporaryFolder(), 'kept.json');
      expect(readKept(file, schema)).toBeUndefined();
      writeKept(file, value);
      expect(readKept<v.GenericSchema>(file, schema)).toEqual(value);
      const text = readFileSync(file, 'utf8');
      for (const damaged of [text.slice(0, -3), '', '[]', text.replaceAll('"original":', '"before":')]) {
        writeFileSync(file, damaged);
        expect(readKept<v.GenericSchema>(file, schema), damaged).toBeUndefined();
      }
    },
  );
});
