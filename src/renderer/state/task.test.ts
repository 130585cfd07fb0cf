/** What changes with the chosen task. */
import { expect, test } from 'vitest';
import { settled, startSession } from '../../../test/renderer/support/fake-bridge.js';
import { SAMPLE_MODEL, taskPath } from '../../../test/renderer/web-host/places.js';

test('another dataset is read as the chosen model sees it, and remembered', async () => {
  const { session, bridge } = await startSession('first-start');
  await session.task.open(taskPath('records'));
  expect(session.task.preview.value).toMatchObject({ state: 'ready', name: 'records' });
  expect(bridge.inputsOf('task.open').at(-1)).toMatchObject({
    model: SAMPLE_MODEL,
    dataset: taskPath('records'),
  });
  expect(bridge.inputsOf('workspace.set').at(-1)).toMatchObject({ task: { dataset: taskPath('records') } });
  expect(session.jobSettings).toMatchObject({ dataset: taskPath('records') });
});

test('while it is read, nothing of the dataset before is shown, and slimming waits', async () => {
  const { session, bridge } = await startSession('first-start');
  const give = bridge.hold('task.open');
  void session.task.open(taskPath('records'));
  await settled();
  expect(session.task.preview.value).toBeUndefined();
  expect(session.obstacle).toBe('reading');
  await give();
  expect(session.obstacle).toBeUndefined();
});

test('a change of what the rows become keeps them in view until they are read anew', async () => {
  const { session, bridge } = await startSession('first-start');
  const give = bridge.hold('task.open');
  session.budget.change({ calibrationRows: 10 });
  void session.task.reload();
  await settled();
  expect(session.task.preview.value).toMatchObject({ name: 'arithmetic' });
  expect(bridge.inputsOf('task.open').at(-1)).toMatchObject({ calibrationRows: 10 });
  await give();
  expect(session.task.preview.loading).toBe(false);
});

test('columns that are not clear stop slimming until the user says what they mean', async () => {
  const { session } = await startSession('columns-needed');
  expect(session.obstacle).toBe('columns');
  await session.task.open('/home/ada/faq.csv', 'prompt=question');
  expect(session.obstacle).toBeUndefined();
  expect(session.jobSettings).toMatchObject({ columns: 'prompt=question' });
});

test('columns belong to their dataset: another one is guessed anew', async () => {
  const { session } = await startSession('columns-needed');
  await session.task.open('/home/ada/faq.csv', 'prompt=question');
  await session.task.open(taskPath('arithmetic'));
  expect(session.jobSettings?.columns).toBeUndefined();
});

test('a file that is no dataset is told in one sentence, and the task that is open stays', async () => {
  const { session } = await startSession('first-start');
  const before = session.task.choice;
  await session.task.open('/home/ada/photo.png');
  expect(session.task.refused?.failure.message).toMatch(/is no dataset/);
  expect(session.task.choice).toEqual(before);
  expect(session.obstacle).toBeUndefined();
  await session.task.open(taskPath('records'));
  expect(session.task.refused).toBeUndefined();
});
