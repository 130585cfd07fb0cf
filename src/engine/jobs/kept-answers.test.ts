/** What the model computed while it answered is not computed again: its distributions need the head alone. */
import path from 'node:path';
import * as v from 'valibot';
import { beforeAll, expect, it, vi } from 'vitest';
import { sampleTask } from '../../../test/support/sample.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { ForwardModel } from '../loss/forward-model.js';
import { jobSettings } from '../../schema/settings.js';
import type { RunReport } from '../../schema/report.js';
import { RunStore } from '../runs/run-store.js';
import { jobContext } from './context.js';
import { slim } from './slim.js';

const folder = temporaryFolder();
const context = jobContext({
  store: new RunStore(path.join(folder, 'runs')),
  cache: path.join(folder, 'cache'),
});
const settings = {
  model: sampleFolder,
  dataset: sampleTask('tracking'),
  responses: 'own',
  strategy: 'block-influence',
  budget: { kind: 'blocks', blocks: 2 },
  calibrationRange: { first: 0, last: 23 },
  heldoutRange: { first: 400, last: 415 },
  training: { epochs: 1 },
  answerRows: 0,
  speedRounds: 0,
};

async function measured(): Promise<{ report: RunReport; batchesRead: number; learnt: number }> {
  const reads = vi.spyOn(ForwardModel.prototype, 'runEachWithTargets');
  const learns = vi.spyOn(ForwardModel.prototype, 'topTokensEach');
  const { report } = await slim({ run: context.store.create(v.parse(jobSettings, settings)) }, context);
  const batchesRead = reads.mock.calls.flatMap(([runs]) => runs).length;
  const learnt = learns.mock.calls.flatMap(([batches]) => batches).length;
  vi.restoreAllMocks();
  return { report, batchesRead, learnt };
}

let fresh: Awaited<ReturnType<typeof measured>>;
let again: typeof fresh;
beforeAll(async () => {
  fresh = await measured();
  again = await measured();
}, 240_000);

it('where answers were made just now, no row goes through the layers for them; from the cache, all do', () => {
  expect([fresh.batchesRead, fresh.learnt]).toEqual([0, 0]);
  expect(again.batchesRead).toBeGreaterThan(0);
  expect(again.learnt).toBeGreaterThan(0);
});

it('figures are the same', () => {
  const figures = ({ report }: typeof fresh) => {
    const { withScales, withoutScales } = report.points.at(-1)!;
    return [report.original, withoutScales, withScales].flatMap((quality) =>
      [quality?.loss, quality?.divergence, quality?.tokenAccuracy].map((estimate) => estimate?.value ?? 0),
    );
  };
  const expected = figures(again);
  expect(expected[4]).toBeGreaterThan(1e-3);
  figures(fresh).forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 4));
});
