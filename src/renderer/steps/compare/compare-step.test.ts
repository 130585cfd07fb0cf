import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { openPage } from '../../../../test/renderer/support/open-page.js';

async function openCompare(replies = {}) {
  const session = await openPage('finished', replies);
  session.go('compare');
  await waitFor(() => expect(session.compare.heldout.value).toBeDefined());
  return session;
}
const pane = (name: string) => screen.getByRole('region', { name });

test('held-out rows are stepped through, the worst first', async () => {
  const session = await openCompare();
  await screen.findByText('1 of 64');
  const rows = session.compare.heldout.value!.rows;
  expect(pane('Original').textContent).toContain(rows[0]!.original);
  await fireEvent.click(screen.getByRole('button', { name: 'Next row' }));
  expect(screen.getByText('2 of 64')).toBeTruthy();
  expect(screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Prompt' }).value).toBe(rows[1]!.prompt);
});

test('another point of the curve: other answers, another sentence', async () => {
  const session = await openCompare();
  const sentence = () => within(screen.getByRole('main')).getByRole('heading', { level: 1 }).textContent;
  await waitFor(() => expect(sentence()).toContain('49 of 64'));
  await fireEvent.click(screen.getByRole('button', { name: 'One block fewer' }));
  expect(session.result.blocks).toBe(2);
  await waitFor(() => expect(sentence()).toContain('53 of 64'));
});

test('stopped before the first word: nothing is said of what would have come', async () => {
  const nothing = {
    text: '',
    pieces: [],
    tokens: 0,
    promptTokens: 9,
    promptSeconds: 0,
    seconds: 0,
    tokensPerSecond: 0,
    finishedBy: 'stopped',
  };
  const session = await openCompare({
    'compare.ask': () => ({ original: nothing, slimmed: nothing, same: true }),
  });
  session.compare.prompt = 'How many nuts?';
  await fireEvent.click(await screen.findByRole('button', { name: 'Ask both' }));
  await waitFor(() => expect(session.compare.answered.value).toBeDefined());
  expect(screen.queryByText('Same answer')).toBeNull();
  expect(screen.queryByText(/tokens differ/)).toBeNull();
});

test('a question that is given up before its turn is not shown as answered without words', async () => {
  const session = await openCompare({
    'compare.ask': () => {
      throw new Error('Stopped.');
    },
  });
  session.compare.prompt = 'How many nuts?';
  await fireEvent.click(await screen.findByRole('button', { name: 'Ask both' }));
  await waitFor(() => expect(session.compare.answered.failure).toBeDefined());
  for (const name of ['Original', '3 blocks skipped']) {
    await waitFor(() => expect(pane(name).textContent).toContain('stopped here'));
    expect(pane(name).textContent).not.toContain('no words');
  }
});

test('a conversation goes on with each model’s own answers, as it was told to', async () => {
  const asked: unknown[] = [];
  const answer = (text: string) => ({
    text,
    pieces: [text],
    tokens: 1,
    promptTokens: 1,
    promptSeconds: 0,
    seconds: 1,
    tokensPerSecond: 1,
    finishedBy: 'stop',
  });
  const session = await openCompare({
    'compare.ask': (input: never) => {
      asked.push(input);
      return { original: answer('one'), slimmed: answer('two'), same: false };
    },
  });
  const { compare } = session;
  await fireEvent.click(screen.getByRole('checkbox', { name: 'Go on with the conversation' }));
  compare.system = 'Be brief.';
  for (const prompt of ['First?', 'Second?']) {
    compare.prompt = prompt;
    await compare.ask();
  }
  expect(asked[0]).toMatchObject({ prompt: 'First?', system: 'Be brief.' });
  expect(asked[1]).toMatchObject({
    prompt: 'Second?',
    turns: [{ prompt: 'First?', original: 'one', slimmed: 'two' }],
  });
  const talk = await screen.findByRole('list', { name: 'The conversation so far' });
  expect(talk.textContent).toContain('First?');
  await fireEvent.click(screen.getByRole('button', { name: 'New conversation' }));
  expect(compare.turns).toEqual([]);
});

test('what a model writes is text, whatever it looks like', async () => {
  const evil = '<img src=x onerror="document.title=1"><b>bold</b>';
  const answer = {
    text: evil,
    pieces: [evil],
    tokens: 1,
    promptTokens: 1,
    promptSeconds: 0,
    seconds: 1,
    tokensPerSecond: 1,
    finishedBy: 'stop',
  };
  const session = await openCompare({
    'compare.ask': () => ({ original: answer, slimmed: answer, same: true }),
  });
  await session.compare.ask();
  await waitFor(() => expect(pane('Original').textContent).toContain(evil));
  expect(pane('Original').querySelector('img, b')).toBeNull();
});
