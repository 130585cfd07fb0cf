/** Runs that are opened again, renamed and deleted. */
import { describe, expect, test } from 'vitest';
import { settled, startSession } from '../../../test/renderer/support/fake-bridge.js';
import {
  LONG_MODEL,
  OLDER_RUN,
  RUN,
  SAMPLE_MODEL,
  taskPath,
} from '../../../test/renderer/web-host/places.js';

describe('a run that is opened', () => {
  test('shows its curve at the point it settled on, with the model and the task it was made with', async () => {
    const { session, bridge } = await startSession('finished');
    await session.openModel({ model: LONG_MODEL });
    await session.openRun(OLDER_RUN);
    expect(session.step).toBe('compare');
    expect(session.result.run).toBe(OLDER_RUN);
    expect(session.result.blocks).toBe(session.result.details.value?.report?.chosenPoint);
    expect(session.model.choice).toMatchObject({ model: SAMPLE_MODEL });
    expect(session.task.choice).toMatchObject({ dataset: taskPath('records') });
    expect(bridge.inputsOf('workspace.set')).toContainEqual({ run: OLDER_RUN, point: session.result.blocks });
  });

  test('of another file of the same model opens that file', async () => {
    const { session, bridge } = await startSession('finished');
    const details = session.result.details.value!;
    const settings = { ...details.summary.settings, modelFile: 'onnx/model_q4.onnx' };
    bridge.answer('runs.show', () => ({ ...details, summary: { ...details.summary, settings } }));
    await session.openRun(RUN);
    expect(session.model.choice).toEqual({ model: SAMPLE_MODEL, modelFile: 'onnx/model_q4.onnx' });
  });

  test('without a point that could be compared shows how far it came', async () => {
    const { session, bridge } = await startSession('finished');
    const { report: _, ...details } = session.result.details.value!;
    bridge.answer('runs.show', () => ({ ...details, trainedPoints: [] }));
    await session.openRun(RUN);
    expect(session.step).toBe('calibrate');
    expect(session.result.target).toBeUndefined();
  });

  test('of two the last one counts, however late the first comes', async () => {
    const { session, bridge } = await startSession('finished');
    const give = bridge.hold('runs.show');
    void session.openRun(OLDER_RUN);
    void session.openRun(RUN);
    await settled();
    await give();
    await give();
    expect(session.result.run).toBe(RUN);
  });

  test('only points whose scales are trained can be picked', async () => {
    const { session } = await startSession('finished');
    session.result.pick(5);
    expect(session.result.blocks).toBe(5);
    session.result.pick(11);
    expect(session.result.blocks).toBe(5);
  });
});

describe('a run that is deleted', () => {
  test('is not shown any more, nor after the next start', async () => {
    const { session, bridge } = await startSession('finished');
    await session.removeRun(RUN);
    expect(session.runs.list.map(({ id }) => id)).not.toContain(RUN);
    expect(session.result.details.value).toBeUndefined();
    expect(bridge.inputsOf('workspace.set').at(-1)).toEqual({ run: undefined, point: undefined });
  });

  test('leaves alone the one that is looked at', async () => {
    const { session } = await startSession('finished');
    await session.removeRun(OLDER_RUN);
    expect(session.result.run).toBe(RUN);
  });

  test('is no longer one of the two to be compared', async () => {
    const { session } = await startSession('finished');
    session.runs.tick(RUN);
    session.runs.tick(OLDER_RUN);
    await session.runs.compare();
    expect(session.runs.compared.value).toHaveLength(2);
    await session.removeRun(OLDER_RUN);
    expect(session.runs.ticked).toEqual([RUN]);
    expect(session.runs.compared.value).toBeUndefined();
  });
});

test('two runs are ticked at the most: a third takes the place of the first', async () => {
  const { session } = await startSession('finished');
  for (const { id } of session.runs.list.slice(0, 3)) session.runs.tick(id);
  expect(session.runs.ticked).toEqual(session.runs.list.slice(1, 3).map(({ id }) => id));
});

test('runs that the command line has made are there when the list is looked at', async () => {
  const { session, bridge } = await startSession('finished');
  const [first, ...others] = session.runs.list;
  bridge.answer('runs.list', () => [{ ...first!, id: 'from-the-command-line' }, first!, ...others]);
  session.go('runs');
  await settled();
  expect(session.runs.list[0]!.id).toBe('from-the-command-line');
});
