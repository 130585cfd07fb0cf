/** Where the slimmed model goes, for each point of the curve. */
import { describe, expect, test } from 'vitest';
import { settled, startSession } from '../../../test/renderer/support/fake-bridge.js';

async function readyToExport() {
  const opened = await startSession('finished');
  const state = opened.session.export;
  await state.suggest();
  return { ...opened, state };
}

test('a folder and a name are suggested, once for every point', async () => {
  const { session, state, bridge } = await readyToExport();
  expect(state).toMatchObject({ parent: '/home/ada/Documents', name: 'sample-arithmetic-3' });
  state.name = 'my-own';
  await state.suggest();
  expect(state.name).toBe('my-own');
  session.result.pick(4);
  await state.suggest();
  expect(state.name).toBe('sample-arithmetic-4');
  expect(bridge.inputsOf('export.suggest')).toHaveLength(2);
});

test('the folder that the user chose stays from point to point', async () => {
  const { session, state } = await readyToExport();
  await state.chooseParent();
  session.result.pick(4);
  await state.suggest();
  expect(state.parent).toBe('/mnt/models/exports');
});

test('a suggestion that comes late does not name the point that is looked at now', async () => {
  const { session, bridge } = await startSession('finished');
  const give = bridge.hold('export.suggest');
  void session.export.suggest();
  await settled();
  session.result.pick(4);
  void session.export.suggest();
  await settled();
  await give();
  expect(session.export.name).toBe('');
  await give();
  expect(session.export.name).toBe('sample-arithmetic-4');
});

test('a suggestion that comes late does not take the place of what was typed', async () => {
  const { session, bridge } = await startSession('finished');
  const give = bridge.hold('export.suggest');
  void session.export.suggest();
  await settled();
  session.export.name = 'my-own';
  await give();
  expect(session.export).toMatchObject({ parent: '/home/ada/Documents', name: 'my-own' });
});

describe('what was written', () => {
  test('is that of its point: another one is still to be written', async () => {
    const { session, state } = await readyToExport();
    await state.write();
    expect(state.written.value?.folder).toBe('/home/ada/Documents/sample-arithmetic-3');
    session.result.pick(4);
    expect(state.written.value).toBeUndefined();
    session.result.pick(3);
    expect(state.written.value?.folder).toBe('/home/ada/Documents/sample-arithmetic-3');
  });

  test('a failure says why, and the form stays', async () => {
    const { state } = await readyToExport();
    state.name = 'full';
    await state.write();
    expect(state.written.failure?.message).toMatch(/not enough room/);
    expect(state.written.value).toBeUndefined();
  });
});

test('without a name nothing is looked at and nothing written', async () => {
  const { state, bridge } = await readyToExport();
  await state.look();
  expect(state.preview.value?.files.length).toBeGreaterThan(0);
  state.name = '  ';
  await state.look();
  await state.write();
  expect(state.preview.value).toBeUndefined();
  expect(bridge.inputsOf('export.write')).toEqual([]);
});
