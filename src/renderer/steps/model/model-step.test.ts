import { screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { model } from '../../texts/model.js';
import { openPage } from '../../../../test/renderer/support/open-page.js';

const main = () => within(screen.getByRole('main'));

test('a model that cannot be used: one sentence, and a way on', async () => {
  const session = await openPage('broken-model');
  expect((await main().findByRole('alert')).textContent).toMatch(/is no decoder.*Choose a language model/s);
  main().getByRole('button', { name: 'Use the sample' }).click();
  expect(await main().findByRole('heading', { name: 'What slimming brings here' })).toBeTruthy();
  await waitFor(() => expect(session.obstacle).toBeUndefined());
});

test('nothing chosen: slimming has to wait', async () => {
  await openPage('empty');
  expect(main().getByRole('heading', { level: 1 }).textContent).toBe('Choose a model');
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Slim' }).disabled).toBe(true);
  expect(screen.getByText('The layers of your model will appear here.')).toBeTruthy();
});

test('the sample: what it is made of and what slimming brings, before anything is started', async () => {
  await openPage('first-start');
  expect(main().getByText('File', { selector: 'dt' }).nextElementSibling!.textContent).toBe('9.87 MB');
  expect(main().getByText(/the file shrinks by only 2.1.% a block/)).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Slim' }).disabled).toBe(false);
});

test('at the first start real models are named, with the file to download and its size', async () => {
  await openPage('first-start');
  const { firstModels } = model;
  const table = main().getByRole('heading', { name: firstModels.title }).closest('section')!;
  expect(firstModels.list.length).toBeGreaterThan(1);
  for (const { name, file, size } of firstModels.list) {
    const row = within(table).getByText(file).closest('tr')!;
    expect(row.textContent).toContain(name);
    expect(row.textContent).toContain(size);
    expect(size).toMatch(/\d [MG]B$/);
  }
});
