/** A job whose execution provider vanishes in the middle. */
import type { JobEvent } from '../../schema/events.js';
import { jobSettings, type JobSettings } from '../../schema/settings.js';
import { existsSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { beforeEach, expect, it, vi } from 'vitest';
import { sampleTask } from '../../../test/support/sample.js';
import { sampleFolder } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { ProviderFailure } from '../../schema/errors.js';
import { RunStore } from '../runs/run-store.js';
import * as providers from '../runtime/providers.js';
import { jobContext } from './context.js';
import { slim } from './slim.js';

/** One that this system cannot have, so that every session on it fails. */
const vanished = process.platform === 'darwin' ? 'dml' : 'coreml';

const taskSettings = {
  model: sampleFolder,
  dataset: sampleTask('tracking'),
  responses: 'file',
  strategy: 'block-influence',
  budget: { kind: 'blocks', blocks: 1 },
  calibrationRange: { first: 0, last: 3 },
  heldoutRange: { first: 400, last: 403 },
  training: { epochs: 1 },
  answerRows: 0,
  speedRounds: 0,
} as const;

function newJob(provider: JobSettings['provider']) {
  const folder = temporaryFolder();
  const store = new RunStore(path.join(folder, 'runs'));
  const run = store.create(v.parse(jobSettings, { ...taskSettings, provider }));
  const events: JobEvent[] = [];
  const context = jobContext({
    store,
    cache: path.join(folder, 'cache'),
    on: (event) => events.push(event),
  });
  return { store, run, events, context };
}

beforeEach(() => {
  const choice = vi
    .spyOn(providers, 'chooseProvider')
    .mockImplementation(async (asked) =>
      asked === 'cpu'
        ? { provider: asked, reason: 'As asked for.' }
        : { provider: vanished, reason: 'It started.' },
    );
  return () => choice.mockRestore();
});

it('goes on on the CPU and says so, if it was chosen automatically', async () => {
  const { run, events, context } = newJob('auto');
  const { report } = await slim({ run }, context);
  expect(report.points).toHaveLength(1);
  const reasons = events.flatMap((event) => (event.type === 'provider' ? [event.reason] : []));
  expect(reasons).toHaveLength(2);
  expect(reasons[0]).toBe('It started.');
  expect(reasons[1]).toMatch(/^Goes on on the CPU, and not on \w+: [^\n]+\.$/);
});

it('fails in one sentence if it was asked for by name, and the resumed run goes on on the CPU', async () => {
  const { store, run, events, context } = newJob(vanished);
  const failure = await slim({ run }, context).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ProviderFailure);
  const { message } = failure as ProviderFailure;
  expect(message).toMatch(
    new RegExp(
      `^The execution provider ${vanished} failed \\([^\n]+\\); resume the run, and it goes on from here on the CPU\\.$`,
    ),
  );
  expect(events[0]).toEqual({ type: 'provider', reason: 'It started.' });
  const stored = store.open(run.id);
  expect(stored).toMatchObject({ status: 'failed', error: message, settings: { provider: 'cpu' } });

  const { report } = await slim({ run: stored }, context);
  expect(report.points).toHaveLength(1);
  expect(existsSync(store.reportFile(run))).toBe(true);
});
