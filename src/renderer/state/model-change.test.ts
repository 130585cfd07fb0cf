/** What changes with the chosen model, and what stays a run's own. */
import { describe, expect, test } from 'vitest';
import { settled, startSession } from '../../../test/renderer/support/fake-bridge.js';
import { LONG_MODEL, SAMPLE_MODEL } from '../../../test/renderer/web-host/places.js';
import { sessionStrip } from '../strip/session-strip.js';

describe('another model is opened while a run is looked at', () => {
  async function openAnother() {
    const opened = await startSession('finished');
    await opened.session.openModel({ model: LONG_MODEL });
    return opened;
  }

  test.each(['calibrate', 'compare', 'export'] as const)(
    '%s goes on about the run’s own model: its name, its layers, its sizes',
    async (step) => {
      const { session } = await openAnother();
      session.go(step);
      expect(session.shownModel).toMatchObject({ model: SAMPLE_MODEL, layers: 12 });
      expect(sessionStrip(session).columns).toHaveLength(12);
      expect(session.result.model?.fileBytes).toBe(9_869_224);
    },
  );

  test('the steps before are about the model that was opened', async () => {
    const { session } = await openAnother();
    session.go('budget');
    expect(session.shownModel).toMatchObject({ model: LONG_MODEL, layers: 100 });
    expect(sessionStrip(session).columns).toHaveLength(100);
  });

  test('a new job is about the model that was opened', async () => {
    const { session } = await openAnother();
    expect(session.jobSettings).toMatchObject({ model: LONG_MODEL });
  });

  test('a job that runs stays about the model that it was started with', async () => {
    const { session } = await startSession('selecting');
    await session.openModel({ model: LONG_MODEL });
    session.go('calibrate');
    expect(session.shownModel).toMatchObject({ model: SAMPLE_MODEL });
    expect(sessionStrip(session).columns).toHaveLength(12);
  });
});

describe('a run whose model is not the chosen one', () => {
  test('is shown with its own model after a start of the app, too', async () => {
    const { session, bridge } = await startSession('hundred-layers');
    expect(session.model.description.value).toMatchObject({ layers: 100 });
    const finished = (await startSession('finished')).session.result.details.value!;
    const settings = { ...finished.summary.settings, model: '/models/another' };
    bridge.answer('runs.show', () => ({ ...finished, summary: { ...finished.summary, settings } }));
    await session.result.open(finished.summary.id);
    await settled();
    expect(bridge.inputsOf('model.open').at(-1)).toMatchObject({ model: '/models/another' });
    expect(session.model.choice?.model).toBe(LONG_MODEL);
  });

  test('is shown without sizes where its model is gone', async () => {
    const { session, bridge } = await startSession('finished');
    const details = session.result.details.value!;
    const settings = { ...details.summary.settings, model: '/gone' };
    bridge.answer('runs.show', () => ({ ...details, summary: { ...details.summary, settings, layers: 24 } }));
    bridge.answer('model.open', () => {
      throw new Error('There is no folder /gone.');
    });
    await session.result.open(details.summary.id);
    await settled();
    session.go('compare');
    expect(session.shownModel).toBeUndefined();
    expect(sessionStrip(session).columns).toHaveLength(24);
    expect(session.notice).toBeUndefined();
  });
});

describe('while a model is read', () => {
  test('nothing of the model before is shown as its own, and slimming waits', async () => {
    const { session, bridge } = await startSession('first-start');
    const give = bridge.hold('model.open');
    const opened = session.openModel({ model: LONG_MODEL });
    await settled();
    expect(session.model.description.value).toBeUndefined();
    expect(session.task.preview.value).toBeUndefined();
    expect(session.obstacle).toBe('reading');
    await give();
    await opened;
    expect(session.model.description.value).toMatchObject({ layers: 100 });
    expect(session.obstacle).toBeUndefined();
  });

  test('of two that are opened one after the other the last one counts, however late the first is read', async () => {
    const { session, bridge } = await startSession('first-start');
    const give = bridge.hold('model.open');
    void session.openModel({ model: '/home/ada/models/bert-base-uncased' });
    void session.openModel({ model: LONG_MODEL });
    await settled();
    await give();
    await give();
    expect(session.model.choice).toMatchObject({ model: LONG_MODEL });
    expect(session.model.description.failure).toBeUndefined();
    expect(session.model.description.value).toMatchObject({ layers: 100 });
  });
});

describe('a model that cannot be read', () => {
  const NONE = '/home/ada/models/bert-base-uncased';

  test('does not close the one that is open: it stays, and the reason is told', async () => {
    const { session, bridge } = await startSession('first-start');
    await session.openModel({ model: NONE });
    expect(session.model.refused).toMatchObject({ choice: { model: NONE } });
    expect(session.model.refused?.failure.message).toMatch(/is no decoder/);
    expect(session.model.description.value).toMatchObject({ model: SAMPLE_MODEL });
    expect(session.obstacle).toBeUndefined();
    expect(bridge.inputsOf('workspace.set').filter((change) => 'model' in change)).toEqual([]);
    await session.openModel({ model: LONG_MODEL });
    expect(session.model.refused).toBeUndefined();
  });

  test.each([
    ['is not a model', NONE, { refused: { choice: { model: NONE } } }],
    ['has to be converted', '/home/ada/a.gguf', { offered: { choice: { model: '/home/ada/a.gguf' } } }],
  ])('does not stop one that is still being read: what was asked for instead %s', async (_, other, told) => {
    const { session, bridge } = await startSession('empty');
    const give = bridge.hold('model.open');
    void session.openModel({ model: LONG_MODEL });
    await settled();
    const opened = session.openModel({ model: other });
    for (let held = 0; held < 3; held += 1) {
      await settled();
      await give().catch(() => undefined);
    }
    await opened;
    expect(session.model).toMatchObject(told);
    expect(session.model.description.value).toMatchObject({ layers: 100 });
    expect(bridge.inputsOf('workspace.set')).toContainEqual({
      model: { model: LONG_MODEL, modelFile: undefined },
    });
  });

  test('is no model where none was open, and is not remembered for the next start', async () => {
    const { session, bridge } = await startSession('empty');
    await session.openModel({ model: NONE });
    expect(session.model.description.failure?.message).toMatch(/is no decoder/);
    expect(session.obstacle).toBe('model');
    expect(bridge.inputsOf('workspace.set').filter((change) => 'model' in change)).toEqual([]);
  });
});

describe('a model of another format', () => {
  const GGUF = '/home/ada/Downloads/SmolLM2-135M-Instruct-Q8_0.gguf';

  test('is offered to be converted, with what it takes, while the open one stays', async () => {
    const { session, bridge } = await startSession('first-start');
    await session.openModel({ model: GGUF });
    expect(session.model.offered?.conversion).toMatchObject({ family: 'Llama', bytes: 164_000_000 });
    expect(session.model.description.value).toMatchObject({ model: SAMPLE_MODEL });
    expect(session.model.refused).toBeUndefined();
    expect(bridge.inputsOf('model.open').map(({ model }) => model)).not.toContain(GGUF);
  });

  test('is converted when asked for, tells how far it is, and is the chosen one then', async () => {
    const { session, bridge } = await startSession('first-start');
    await session.openModel({ model: GGUF });
    const give = bridge.hold('model.open');
    const converted = session.convertModel();
    await settled();
    bridge.emit('model.converting', { model: GGUF, done: 40, total: 100, secondsLeft: 3 });
    bridge.emit('model.converting', { model: '/another.gguf', done: 90, total: 100 });
    expect(session.model.converting).toMatchObject({ done: 40 });
    expect(session.obstacle).toBe('reading');
    await give();
    await converted;
    expect(session.model.choice?.model).toBe(GGUF);
    expect(session.model.converting).toBeUndefined();
    expect(bridge.inputsOf('workspace.set')).toContainEqual({ model: { model: GGUF, modelFile: undefined } });
  });

  test('whose conversion is stopped leaves the model before; a newer wish stops it, too', async () => {
    const { session, bridge } = await startSession('first-start');
    await session.openModel({ model: GGUF });
    const give = bridge.hold('model.open');
    const converted = session.convertModel();
    await settled();
    bridge.emit('model.converting', { model: GGUF, done: 40, total: 100 });
    void session.openModel({ model: LONG_MODEL });
    await settled();
    expect(bridge.inputsOf('model.stop')).toEqual([{ model: GGUF, modelFile: undefined }]);
    await give();
    await give();
    await converted;
    await settled();
    expect(session.model.choice?.model).toBe(LONG_MODEL);
  });

  test('of a run is not converted unasked: the run is shown without its sizes', async () => {
    const { session, bridge } = await startSession('finished');
    const details = session.result.details.value!;
    const settings = { ...details.summary.settings, model: GGUF };
    bridge.answer('runs.show', () => ({ ...details, summary: { ...details.summary, settings } }));
    await session.result.open(details.summary.id);
    await settled();
    expect(session.result.model).toBeUndefined();
    expect(bridge.inputsOf('model.open').map(({ model }) => model)).not.toContain(GGUF);
  });
});
