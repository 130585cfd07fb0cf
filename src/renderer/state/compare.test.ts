/** Answers of both models: those that are asked for, and those to the held-out rows. */
import { describe, expect, test } from 'vitest';
import { settled, startSession, type FakeBridge } from '../../../test/renderer/support/fake-bridge.js';
import { shownAnswers } from '../steps/compare/shown-answers.js';

async function atPointThree() {
  const opened = await startSession('finished');
  expect(opened.session.result.blocks).toBe(3);
  return { ...opened, compare: opened.session.compare };
}
const lastTicket = (bridge: FakeBridge, name: 'compare.ask' | 'compare.heldout' | 'compare.measure') =>
  bridge.inputsOf(name).at(-1)!.ticket;
/** Begins something whose answer is held back. */
async function begun(
  bridge: FakeBridge,
  name: 'compare.ask' | 'compare.heldout',
  begin: () => Promise<void>,
) {
  const give = bridge.hold(name);
  void begin();
  await settled();
  return { give, ticket: lastTicket(bridge, name) };
}
const token = (ticket: string, text: string) =>
  ({ ticket, side: 'slimmed', text, tokens: 1, seconds: 0.5 }) as const;

describe('asking both', () => {
  test('tokens are shown as they come, and only those of what was asked last', async () => {
    const { compare, bridge } = await atPointThree();
    compare.prompt = 'How many?';
    const { ticket } = await begun(bridge, 'compare.ask', () => compare.ask());
    bridge.emit('compare.token', token(ticket, 'Four'));
    bridge.emit('compare.token', token('another', ' and more'));
    bridge.emit('compare.token', token(ticket, ' keys'));
    expect(compare.live?.slimmed.text).toBe('Four keys');
    expect(compare.asking).toBe(true);
  });

  test('another point of the curve: the question goes on, but its answer is not that point’s', async () => {
    const { session, compare, bridge } = await atPointThree();
    compare.prompt = 'How many?';
    const { give, ticket } = await begun(bridge, 'compare.ask', () => compare.ask());
    bridge.emit('compare.token', token(ticket, 'Four'));
    session.result.pick(4);
    expect(compare.asking).toBe(false);
    expect(shownAnswers(session)).toBeUndefined();
    await give();
    expect(compare.answered.value).toBeUndefined();
    session.result.pick(3);
    expect(compare.answered.value).toBeDefined();
  });

  test('a new question stops the one before', async () => {
    const { session, compare, bridge } = await atPointThree();
    compare.prompt = 'How many?';
    const { ticket: before } = await begun(bridge, 'compare.ask', () => compare.ask());
    session.result.pick(4);
    void compare.ask();
    await settled();
    expect(bridge.inputsOf('compare.stop')).toContainEqual({ ticket: before });
    expect(bridge.inputsOf('compare.ask').at(-1)).toMatchObject({ blocks: 4 });
  });

  test('answers stay when another step is visited, and the last prompts are kept', async () => {
    const { session, compare, bridge } = await atPointThree();
    compare.prompt = ' How many? ';
    await compare.ask();
    session.go('export');
    session.go('compare');
    await compare.loadHeldout();
    expect(shownAnswers(session)?.original.text).toBe(compare.answered.value?.original.text);
    expect(bridge.inputsOf('workspace.set')).toContainEqual({ prompts: ['How many?'] });
  });
});

describe('held-out answers', () => {
  test('are asked for once a point; the first row is shown with its prompt', async () => {
    const { compare, bridge } = await atPointThree();
    await compare.loadHeldout();
    await compare.loadHeldout();
    expect(bridge.inputsOf('compare.heldout')).toHaveLength(1);
    expect(compare.row).toBe(0);
    expect(compare.prompt).toBe(compare.heldoutRow?.prompt);
  });

  test('of another point: those before are gone at once, and no longer waited for', async () => {
    const { session, compare, bridge } = await atPointThree();
    const { give, ticket: before } = await begun(bridge, 'compare.heldout', () => compare.loadHeldout());
    session.result.pick(4);
    void compare.loadHeldout();
    await settled();
    expect(bridge.inputsOf('compare.stop')).toEqual([{ ticket: before }]);
    await give();
    expect(compare.heldout.value).toBeUndefined();
    await give();
    expect(compare.heldoutRow?.prompt).toBe(compare.prompt);
  });

  test('progress is that of what is waited for, not of what was given up', async () => {
    const { session, compare, bridge } = await atPointThree();
    const { ticket: before } = await begun(bridge, 'compare.heldout', () => compare.loadHeldout());
    session.result.pick(4);
    void compare.loadHeldout();
    await settled();
    const progress = { what: 'answers', done: 1, total: 64 } as const;
    bridge.emit('compare.progress', { ...progress, ticket: before });
    expect(compare.heldoutProgress).toBeUndefined();
    bridge.emit('compare.progress', { ...progress, ticket: lastTicket(bridge, 'compare.heldout') });
    expect(compare.heldoutProgress).toMatchObject({ done: 1 });
    expect(compare.measuringProgress).toBeUndefined();
  });

  test('a row stays the one that is looked at from point to point, wherever it stands in each', async () => {
    const { session, compare, bridge } = await atPointThree();
    await compare.loadHeldout();
    compare.showRow(2);
    const { prompt } = compare;
    session.result.pick(4);
    await compare.loadHeldout();
    expect(compare.heldoutRow?.prompt).toBe(prompt);
    session.result.pick(3);
    await compare.loadHeldout();
    expect(compare.row).toBe(2);
    expect(bridge.inputsOf('compare.heldout')).toHaveLength(2);
  });

  test('do not take away what the user is writing', async () => {
    const { compare, bridge } = await atPointThree();
    const { give } = await begun(bridge, 'compare.heldout', () => compare.loadHeldout());
    compare.prompt = 'My own';
    await give();
    expect(compare.prompt).toBe('My own');
    expect(compare.heldout.value).toBeDefined();
  });

  test('rows are stepped through up to the ends', async () => {
    const { compare } = await atPointThree();
    await compare.loadHeldout();
    compare.showRow(-1);
    expect(compare.row).toBe(0);
    compare.showRow(1);
    expect(compare.prompt).toBe(compare.heldout.value!.rows[1]!.prompt);
    compare.showRow(1_000_000);
    expect(compare.row).toBe(1);
  });
});

test('what was measured is that of its point', async () => {
  const { session, compare } = await atPointThree();
  await compare.measure();
  expect(compare.measured.value?.speed).toBeDefined();
  session.result.pick(4);
  expect(compare.measured.isMissing).toBe(true);
  session.result.pick(3);
  expect(compare.measured.value?.speed).toBeDefined();
});
