import { expect, test } from 'vitest';
import { CancelledError, throwIfCancelled } from '../schema/errors.js';
import { Tickets } from './tickets.js';

test('work runs one after the other, also after a failure', async () => {
  const tickets = new Tickets();
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
    return name;
  };
  const failing = tickets.run('x', () => Promise.reject(new Error('no')));
  const both = Promise.all([tickets.run('a', work('a')), tickets.run('b', work('b'))]);
  await expect(failing).rejects.toThrow('no');
  expect(await both).toEqual(['a', 'b']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('stopping reaches work that runs and work that waits', async () => {
  const tickets = new Tickets();
  const waits = async (signal: AbortSignal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throwIfCancelled(signal);
  };
  const running = tickets.run('a', waits);
  const waiting = tickets.run('b', () => Promise.resolve());
  tickets.stop('b');
  tickets.stop('a');
  tickets.stop('nobody');
  await expect(running).rejects.toBeInstanceOf(CancelledError);
  await expect(waiting).rejects.toBeInstanceOf(CancelledError);
});

test('urgent work goes first as soon as the work under way gives way', async () => {
  const tickets = new Tickets();
  const order: string[] = [];
  let urgent: Promise<void> | undefined;
  const long = tickets.run('long', async (_, giveWay) => {
    await giveWay();
    order.push('long begins');
    urgent = tickets.runUrgent('urgent', async () => void order.push('urgent'));
    await giveWay();
    order.push('long ends');
  });
  const next = tickets.run('next', async () => void order.push('next'));
  await Promise.all([long, next]);
  await urgent;
  expect(order).toEqual(['long begins', 'urgent', 'long ends', 'next']);
});
