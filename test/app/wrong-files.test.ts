import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { model as modelTexts } from '../../src/renderer/texts/model.js';
import { task as taskTexts } from '../../src/renderer/texts/task.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { answerDialogs, launch, type RunningApp } from './support/launch.js';

describe.skipIf(!electronProgram())(`files that are wrong${electronReason}`, () => {
  let app: RunningApp;
  let ui: AppPage;

  beforeAll(async () => {
    app = await launch();
    ui = new AppPage(app.page);
  });

  afterAll(async () => await app?.close());

  function fileWith(name: string, content: string): string {
    const file = path.join(app.home, 'files', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  /** What the page says is one sentence or two for people, and no trace of a program. */
  async function expectSentence(text: string): Promise<void> {
    expect(text).not.toMatch(/\bat .*:\d+:\d+|undefined|TypeError|\[object/);
    await Promise.resolve();
  }

  async function failureOf(name: 'model.open' | 'task.open', input: object): Promise<string> {
    return await app.ask(name, input as never).then(
      () => 'no failure',
      (error: Error) => error.message,
    );
  }

  test('a model that is none: the page says so, and the one that is open stays', async () => {
    await ui.go('model');
    // There is a model to go back to once it has been read.
    await expect.poll(() => ui.slimButton.isEnabled(), { timeout: 20_000 }).toBe(true);
    await answerDialogs(app.electron, fileWith('broken.onnx', 'this is no model'));
    await app.page.getByRole('button', { name: modelTexts.openFile }).first().click();
    await app.page.getByText(modelTexts.refusedTitle('broken.onnx')).waitFor();
    await app.page.getByText('is not an ONNX model').waitFor();
    await ui.content.getByRole('heading', { name: 'sample', level: 1 }).waitFor();
    await expect.poll(() => ui.slimButton.isEnabled(), { timeout: 20_000 }).toBe(true);
  });

  test.each([
    ['a folder without a model', () => app.home, 'no ONNX file'],
    ['a path that does not exist', () => '/nowhere/at/all', 'no model at'],
    ['an empty file', () => fileWith('empty.onnx', ''), 'not an ONNX model'],
  ])('%s', async (_, choose, expected) => {
    const message = await failureOf('model.open', { model: choose() });
    expect(message).toContain(expected);
    await expectSentence(message);
  });

  test('a dataset that is none: the page says so', async () => {
    await ui.go('task');
    await answerDialogs(app.electron, fileWith('broken.jsonl', 'no json\nat all\n'));
    await ui.content.getByRole('button', { name: taskTexts.openFile }).first().click();
    await app.page.getByText(taskTexts.refusedTitle('broken.jsonl')).waitFor();
    await expectSentence((await ui.content.textContent()) ?? '');
  });

  test.each([
    ['an empty dataset', () => fileWith('empty.jsonl', ''), /can be used|empty/],
    ['a picture', () => fileWith('picture.dat', '\u0089PNG\0\0\0'), /not a dataset/],
    [
      'a dataset of one row',
      () => fileWith('one.jsonl', '{"prompt":"a","response":"b"}\n'),
      /only one row .*it takes two/i,
    ],
    ['one that does not exist', () => '/nowhere.jsonl', /nowhere/],
  ])('%s', async (_, choose, expected) => {
    const { sample } = await app.ask('app.info');
    const message = await failureOf('task.open', { model: sample.model, dataset: choose() });
    expect(message).toMatch(expected);
    await expectSentence(message);
  });

  test('a job with a dataset that has gone fails with a sentence', async () => {
    const { sample } = await app.ask('app.info');
    await app.ask('job.start', { model: sample.model, dataset: '/gone.jsonl' });
    await expect.poll(async () => (await app.ask('job.state')).status, { timeout: 20_000 }).toBe('failed');
    await expectSentence((await app.ask('job.state')).message ?? 'undefined');
  });

  test('dialogs that are cancelled change nothing', async () => {
    await ui.go('model');
    await answerDialogs(app.electron, undefined);
    await app.page.getByRole('button', { name: modelTexts.openFolder }).first().click();
    await ui.content.getByRole('heading', { name: 'sample', level: 1 }).waitFor();
  });
});
