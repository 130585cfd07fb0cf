import { fireEvent, screen } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { openPage } from '../../../../test/renderer/support/open-page.js';

async function openAim() {
  const session = await openPage('first-start');
  session.go('budget');
  await fireEvent.click(await screen.findByRole('radio', { name: 'One aim' }));
  return session;
}
const write = async (name: string, value: string) =>
  await fireEvent.change(screen.getByRole('spinbutton', { name }), { target: { value } });

test('an aim is a size, a speed or a limit of quality, and the number that belongs to it', async () => {
  const session = await openAim();
  await write('Largest size (MB)', '5');
  expect(session.jobSettings?.aim?.goal).toEqual({ kind: 'size', bytes: 5e6 });
  await fireEvent.change(screen.getByRole('combobox', { name: 'Aim' }), { target: { value: 'speed' } });
  await write('Times as fast, at least', '2');
  expect(session.jobSettings?.aim?.goal).toEqual({ kind: 'speed', times: 2 });
  await fireEvent.change(screen.getByRole('combobox', { name: 'Aim' }), { target: { value: 'quality' } });
  await write('Quality that may be lost (%)', '3');
  expect(session.jobSettings?.aim?.goal).toEqual({ kind: 'quality', largestDrop: 0.03 });
});

test('each kind of cut has a switch, of which one stays on', async () => {
  const session = await openAim();
  for (const name of [/^Weights/, /^Remove MLP/, /^Drop tokens/]) {
    await fireEvent.click(screen.getByRole('checkbox', { name }));
  }
  expect(session.jobSettings?.aim?.cuts).toEqual(['attention']);
  expect(screen.getByRole<HTMLInputElement>('checkbox', { name: /^Skip attention/ }).disabled).toBe(true);
});

test('without an aim none is told', async () => {
  const session = await openAim();
  await fireEvent.click(screen.getByRole('radio', { name: 'Nothing' }));
  expect(session.jobSettings?.aim).toBeUndefined();
});
