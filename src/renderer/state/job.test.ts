/** The job that runs, as its events tell it. */
import { describe, expect, test } from 'vitest';
import { settled, startSession } from '../../../test/renderer/support/fake-bridge.js';
import { OLDER_RUN, RUN } from '../../../test/renderer/web-host/places.js';
import { report } from '../../../test/renderer/web-host/recorded.js';
import { recordedRun } from '../../../test/renderer/web-host/run-handlers.js';

/** Longer than events are gathered before the page is drawn. */
const drawn = async () => await new Promise((resolve) => setTimeout(resolve, 150));

describe('events of the job', () => {
  test('add up, and are shown together', async () => {
    const { session, bridge } = await startSession('selecting');
    const before = session.job.state.rounds;
    const tried = { type: 'candidate-tried', round: 0, block: 'attention 11', loss: 9 } as const;
    bridge.emit('job.event', { run: RUN, event: tried });
    bridge.emit('job.event', { run: RUN, event: { type: 'progress', done: 3, total: 4 } });
    expect(session.job.state.rounds).toBe(before);
    await drawn();
    expect(session.job.state.rounds[0]?.losses['attention 11']).toBe(9);
    expect(session.job.state.progress).toEqual({ done: 3, total: 4 });
  });

  test('of another run change nothing', async () => {
    const { session, bridge } = await startSession('selecting');
    bridge.emit('job.event', { run: 'another', event: { type: 'progress', done: 3, total: 4 } });
    await drawn();
    expect(session.job.state.progress).not.toEqual({ done: 3, total: 4 });
  });

  test('a change of the state as a whole is not overwritten by events that came before it', async () => {
    const { session, bridge } = await startSession('selecting');
    bridge.emit('job.event', { run: RUN, event: { type: 'progress', done: 3, total: 4 } });
    bridge.emit('job.changed', { ...session.job.state, status: 'stopping' });
    await drawn();
    expect(session.job.state.status).toBe('stopping');
    expect(session.job.state.progress).not.toEqual({ done: 3, total: 4 });
  });
});

describe('the end of a job', () => {
  test('opens its run at the point it settled on', async () => {
    const { session, bridge } = await startSession('finished');
    await session.result.open(OLDER_RUN);
    bridge.emit('job.finished', { run: recordedRun('finished'), report });
    await settled();
    expect(session.result.run).toBe(RUN);
    expect(session.result.blocks).toBe(report.chosenPoint);
  });

  test('stopped: what it has found so far can be looked at, and it can go on', async () => {
    const { session, bridge } = await startSession('selecting');
    bridge.emit('job.changed', { ...session.job.state, status: 'stopped' });
    await settled();
    expect(session.job.active).toBe(false);
    expect(session.job.resumable).toBe(true);
    expect(session.result.wanted).toBe(RUN);
    expect(session.showsJob).toBe(true);
  });
});

describe('Calibrate', () => {
  test('shows the job for as long as it runs, whichever run is looked at', async () => {
    const { session } = await startSession('selecting');
    session.go('calibrate');
    session.result.wanted = OLDER_RUN;
    expect(session.shownRun?.id).toBe(RUN);
  });

  test('shows another run once the job has ended and that run is opened', async () => {
    const { session, bridge } = await startSession('finished');
    bridge.emit('job.changed', { ...session.job.state, status: 'finished', run: recordedRun('finished') });
    expect(session.showsJob).toBe(true);
    await session.openRun(OLDER_RUN);
    session.go('calibrate');
    expect(session.shownRun?.id).toBe(OLDER_RUN);
  });
});

describe('one click', () => {
  test('starts the job with what was chosen, and shows it', async () => {
    const { session, bridge } = await startSession('first-start');
    await session.slim();
    expect(session.step).toBe('calibrate');
    expect(bridge.inputsOf('job.start')).toEqual([session.jobSettings]);
    expect(session.job.active).toBe(true);
  });

  test('starts no second job', async () => {
    const { session, bridge } = await startSession('selecting');
    await session.slim();
    expect(bridge.inputsOf('job.start')).toEqual([]);
  });

  test('that fails says why, and the next one takes that back', async () => {
    const { session, bridge } = await startSession('first-start');
    bridge.answer('job.start', () => {
      throw new Error('There is no space left.');
    });
    await session.slim();
    expect(session.job.failure?.message).toBe('There is no space left.');
    bridge.answer('job.start', () => recordedRun('running'));
    await session.slim();
    expect(session.job.failure).toBeUndefined();
  });
});

test('the menu leads to steps, starts and stops', async () => {
  const { session, bridge } = await startSession('first-start');
  bridge.emit('menu.chosen', { command: 'budget' });
  expect(session.step).toBe('budget');
  bridge.emit('menu.chosen', { command: 'settings' });
  expect(session.step).toBe('settings');
  bridge.emit('menu.chosen', { command: 'start-job' });
  await settled();
  expect(bridge.inputsOf('job.start')).toHaveLength(1);
  bridge.emit('menu.chosen', { command: 'stop-job' });
  expect(bridge.inputsOf('job.stop')).toHaveLength(1);
});
