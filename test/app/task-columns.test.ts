import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { task as texts } from '../../src/renderer/texts/task.js';
import { AppPage } from './pages/app-page.js';
import { electronProgram, electronReason } from './support/electron-program.js';
import { launch, newHome, type RunningApp } from './support/launch.js';
import { sampleModel } from './support/sample-job.js';

describe.skipIf(!electronProgram())(
  `a file of questions with choices, without a header${electronReason}`,
  () => {
    let app: RunningApp;

    beforeAll(async () => {
      const home = newHome();
      const dataset = path.join(home, 'quiz.csv');
      const rows = Array.from(
        { length: 40 },
        (_, row) => `What is ${row} plus 1?,${row},${row + 1},7${row},9${row},B`,
      );
      writeFileSync(dataset, rows.join('\n'));
      app = await launch({ home, workspace: { model: { model: sampleModel }, task: { dataset } } });
      await new AppPage(app.page).go('task');
    });

    afterAll(async () => await app?.close());

    const form = () => app.page.getByRole('combobox', { name: texts.kindLabel });
    const choice = (column: string) => app.page.getByRole('checkbox', { name: column });
    const rows = () => app.page.getByRole('list', { name: texts.previewTitle });

    test('is recognised, and its choices are shown to the model as letters', async () => {
      await expect.poll(() => form().inputValue(), { timeout: 20_000 }).toBe('multiple-choice');
      expect(await rows().textContent()).toContain('What is 0 plus 1?\nA. 0\nB. 1\nC. 70\nD. 90');
      expect(await app.page.getByRole('checkbox').count()).toBe(4);
      expect(app.errors).toEqual([]);
    });

    test('a choice that is unticked goes, by keyboard, and comes back', async () => {
      await choice('column_5').focus();
      await app.page.keyboard.press('Space');
      await expect.poll(() => rows().textContent(), { timeout: 5_000 }).not.toContain('D. 90');
      await choice('column_5').check();
      await expect.poll(() => rows().textContent(), { timeout: 5_000 }).toContain('D. 90');
      expect((await app.ask('workspace.get')).task?.columns).toBe(
        'prompt=column_1,choices=column_2+column_3+column_4+column_5,response=column_6',
      );
    });

    test('columns that do not fit stay in the form, to be changed there', async () => {
      await form().selectOption('messages');
      await app.page.getByText(texts.columnsNeeded).waitFor();
      expect(await form().inputValue()).toBe('messages');
      await form().selectOption('multiple-choice');
      await rows().waitFor();
      expect(app.errors).toEqual([]);
    });
  },
);
