import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { openPage } from '../../../../../test/renderer/support/open-page.js';

async function openMany(replies = {}) {
  const session = await openPage('finished', replies);
  session.go('compare');
  await waitFor(() => expect(session.result.point).toBeDefined());
  await fireEvent.click(await screen.findByRole('radio', { name: 'Many prompts' }));
  return session;
}
const press = async (name: string | RegExp) =>
  await fireEvent.click(await screen.findByRole('button', { name }));

test('the original and the point that is looked at answer the held-out prompts; the result has figures and rows', async () => {
  const session = await openMany();
  const models = await screen.findByRole('list', { name: 'Models' });
  expect(
    within(models)
      .getAllByRole('listitem')
      .map((item) => item.textContent.trim()),
  ).toEqual(['sample, original', 'sample, arithmetic, 3 skipped']);
  await press('Start');
  expect(session.comparisons.list[0]!.settings).toMatchObject({
    models: [
      { kind: 'point', blocks: 0 },
      { kind: 'point', blocks: 3 },
    ],
    prompts: { from: 'heldout' },
  });
  await waitFor(() => expect(session.comparisons.summary?.status).toBe('finished'), { timeout: 5000 });
  await screen.findByRole('columnheader', { name: 'arithmetic, 3 skipped' });
  await screen.findByRole('row', { name: /Right only by the first/ });
  await waitFor(() =>
    expect(screen.getByRole<HTMLInputElement>('radio', { name: /^Lost [1-9]/ }).disabled).toBe(false),
  );
  await fireEvent.click(screen.getByRole('radio', { name: /^Lost/ }));
  // Who sees the page is told as well whose answers stand on which side.
  const heads = [...screen.getByText('original', { selector: '.names *' }).parentElement!.children];
  expect(heads.map((head) => head.textContent)).toEqual(['original', 'arithmetic, 3 skipped']);
  const rows = within(screen.getByRole('list', { name: 'Answers' })).getAllByRole('listitem');
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row.textContent).toMatch(/right.*wrong/s);
});

test('votes are blind: no names before the end, and each is kept with the model that was preferred', async () => {
  const votes: { prompt: number; preferred: string }[] = [];
  const session = await openMany({
    'comparisons.vote': (vote: never) => {
      votes.push(vote);
    },
  });
  await press(/prompts of arithmetic/);
  await press('Vote blind');
  const names = session.comparisons.summary!.names;
  for (const choice of ['A is better', 'A is better', 'No difference']) {
    const section = screen.getByRole('region', { name: 'A' });
    for (const name of names) expect(section.textContent).not.toContain(name);
    const shown = section.textContent;
    await press(choice);
    const vote = votes.at(-1)!;
    const row = session.comparisons.details.value!.rows.find(({ index }) => index === vote.prompt)!;
    if (choice === 'No difference') expect(vote.preferred).toBe('neither');
    else expect(shown).toContain(row.answers[vote.preferred === 'first' ? 0 : 1]!.text);
  }
  await press('End and see');
  await screen.findByRole('list', { name: 'Answers' });
});

test('before the first answer there are no empty tables, but a sentence', async () => {
  const models = ['sample, original', 'sample, arithmetic, 3 skipped'].map((name) => ({ name, answered: 0 }));
  const rows = [{ index: 0, line: 1, prompt: 'Who?', answers: [null, null] }];
  const session = await openMany({ 'comparisons.show': () => ({ models, rows, votes: [] }) });
  await press(/prompts of arithmetic/);
  session.comparisons.list = session.comparisons.list.map((one) => ({ ...one, status: 'running' }));
  await screen.findByText(/The models are being loaded/);
  expect(screen.queryByRole('table')).toBeNull();
  expect(screen.queryByRole('list', { name: 'Answers' })).toBeNull();
});
