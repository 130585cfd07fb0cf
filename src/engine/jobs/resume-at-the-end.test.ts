/** Runs that were ended by force when all but their last stages was done. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { beforeAll, expect, it } from 'vitest';
import { sampleTask } from '../../../test/support/sample.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import type { JobEvent } from '../../schema/events.js';
import { jobSettings } from '../../schema/settings.js';
import type { Run } from '../../schema/runs.js';
import { RunStore } from '../runs/run-store.js';
import { jobContext } from './context.js';
import { slim } from './slim.js';
import { trainPoint } from './train-point.js';

const folder = temporaryFolder();
const output = path.join(folder, 'slimmed');
const store = new RunStore(path.join(folder, 'runs'));
const events: JobEvent[] = [];
const context = jobContext({
  store,
  cache: path.join(folder, 'cache'),
  on: (event) => events.push(event),
  // The process that measures is there, and is killed before it answers.
  startTiming: () => Promise.resolve({ ask: () => Promise.resolve(undefined), end: () => {} }),
});
const settings = {
  model: sampleFolder,
  dataset: sampleTask('tracking'),
  responses: 'file',
  strategy: 'block-influence',
  budget: { kind: 'blocks', blocks: 1 },
  calibrationRange: { first: 0, last: 3 },
  heldoutRange: { first: 400, last: 401 },
  training: { epochs: 1 },
  answerRows: 0,
  speedRounds: 1,
  output,
};
let run: Run;

beforeAll(async () => {
  run = store.create(v.parse(jobSettings, settings));
  await slim({ run }, context);
}, 120_000);

const written = () => {
  const file = path.join(output, 'onnx', 'model.onnx');
  return { inode: statSync(file).ino, bytes: readFileSync(file).toString('base64') };
};

it('whose measuring process is killed says that speed was not measured, and is done', async () => {
  expect(store.open(run.id).status).toBe('finished');
  const report = JSON.parse(readFileSync(store.reportFile(run), 'utf8')) as { note?: string; speed?: object };
  expect(report.note).toMatch(/not measured/);
  expect(report.speed).toBeUndefined();
});

it('whose export is in place finds it there, does not write it again, and is done', async () => {
  const before = written();
  store.update(run, { status: 'running' });
  events.length = 0;
  const { report } = await slim({ run: store.open(run.id) }, context);
  expect(events).not.toContainEqual({ type: 'stage', stage: 'exporting' });
  expect(written()).toEqual(before);
  expect(report.exported?.folder).toBe(output);
  expect(store.open(run.id)).toMatchObject({ status: 'finished', exportedTo: output });
});

it('whose report lacks the figures of a trained point measures them when the point is asked for', async () => {
  const whole = readFileSync(store.reportFile(run), 'utf8');
  const report = JSON.parse(whole) as { points: { skipped: string[] }[] };
  const points = report.points.filter(({ skipped }) => skipped.length === 0);
  writeFileSync(store.reportFile(run), JSON.stringify({ ...report, points }));
  await trainPoint({ run: run.id, blocks: 1 }, context);
  expect(JSON.parse(readFileSync(store.reportFile(run), 'utf8'))).toEqual(JSON.parse(whole));
});
