import { describe, expect, test, vi } from 'vitest';
import { CancelledError, UserError } from '../schema/errors.js';
import { PassedFailure, Router, UNEXPECTED, type Handlers } from './router.js';

function routerWith(handlers: Partial<Handlers>) {
  const logFault = vi.fn<(message: string, error?: unknown) => void>();
  return { router: new Router(handlers, logFault), logFault };
}

const failing = (error: Error) => routerWith({ 'job.stop': () => Promise.reject(error) });

describe('Router', () => {
  test('answers with what the handler gives, defaults of the input filled in', async () => {
    const ask = vi.fn<(input: unknown) => never>(() => ({ original: 1 }) as never);
    const { router } = routerWith({ 'compare.ask': ask });
    const reply = await router.answer('compare.ask', { run: 'r', blocks: 1, ticket: 't', prompt: 'p' });
    expect(reply).toEqual({ ok: true, value: { original: 1 } });
    expect(ask).toHaveBeenCalledWith(expect.objectContaining({ maxNewTokens: 256, seed: 0 }));
  });

  test.each(['model.burn', '__proto__', 'toString', '', 7, undefined, { name: 'x' }])(
    'refuses and logs the unknown request %j',
    async (name) => {
      const { router, logFault } = routerWith({});
      expect(await router.answer(name, {})).toMatchObject({ ok: false, failure: { kind: 'refused' } });
      expect(logFault).toHaveBeenCalledOnce();
    },
  );

  test.each([
    ['runs.delete', { run: '../../etc' }],
    ['runs.delete', {}],
    ['model.open', { model: '' }],
    ['model.open', 'a string'],
    ['compare.ask', { run: 'r', blocks: -1, ticket: 't', prompt: 'p' }],
    ['settings.set', { zoom: 99 }],
  ] as const)('refuses %s with malformed input and never calls its handler', async (name, input) => {
    const handler = vi.fn<() => never>();
    const { router, logFault } = routerWith({ [name]: handler });
    expect(await router.answer(name, input)).toMatchObject({ ok: false, failure: { kind: 'refused' } });
    expect(handler).not.toHaveBeenCalled();
    expect(logFault).toHaveBeenCalledOnce();
  });

  test('passes a message for the user through', async () => {
    const { router, logFault } = failing(new UserError('Choose another folder.'));
    expect(await router.answer('job.stop', undefined)).toEqual({
      ok: false,
      failure: { kind: 'user', message: 'Choose another folder.' },
    });
    expect(logFault).not.toHaveBeenCalled();
  });

  test('tells that something was stopped, and failures of another process as they are', async () => {
    const { router: stopped } = failing(new CancelledError());
    expect(await stopped.answer('job.stop', undefined)).toMatchObject({ failure: { kind: 'cancelled' } });
    const { router: crashed } = failing(new PassedFailure({ kind: 'crashed', message: 'gone' }));
    expect(await crashed.answer('job.stop', undefined)).toMatchObject({
      failure: { kind: 'crashed', message: 'gone' },
    });
  });

  test('logs a fault and shows none of it', async () => {
    const fault = new TypeError("Cannot read properties of undefined (reading 'x')");
    const { router, logFault } = failing(fault);
    expect(await router.answer('job.stop', undefined)).toEqual({
      ok: false,
      failure: { kind: 'unexpected', message: UNEXPECTED },
    });
    expect(logFault).toHaveBeenCalledWith('job.stop failed', fault);
  });
});
