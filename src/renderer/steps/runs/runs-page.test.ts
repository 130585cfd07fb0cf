import { fireEvent, screen } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { openPage } from '../../../../test/renderer/support/open-page.js';
import { runs as texts } from '../../texts/runs.js';

test('two runs of one model for one task are told apart side by side, and not by colour alone', async () => {
  const session = await openPage('finished');
  session.go('runs');
  for (const { id } of session.runs.list.slice(0, 2)) await session.runs.rename(id, 'Evening');
  const two = session.runs.list.slice(0, 2);
  for (const { id } of two) session.runs.tick(id);
  await fireEvent.click(await screen.findByRole('button', { name: texts.compare }));
  await screen.findByRole('table');
  const heads = screen.getAllByRole('columnheader').map((head) => head.textContent.trim());
  expect(new Set(heads).size).toBe(3);
  for (const [place, run] of two.entries()) {
    expect(heads[place + 1]).toContain(texts.nameAmong(run, two));
    expect(heads[place + 1]).toContain(texts.budget(run));
  }
});

test('a run alone has no box to tick: there is nothing to compare it with', async () => {
  const session = await openPage('finished');
  session.runs.list = session.runs.list.slice(0, 1);
  session.go('runs');
  await screen.findByRole('heading', { name: texts.title, level: 1 });
  expect(screen.queryByRole('checkbox')).toBeNull();
  expect(screen.queryByRole('button', { name: texts.compare })).toBeNull();
});
