/** The page's end of the contract: its messages are answered, if they are the app's own page's. */
import { ipcMain } from 'electron';
import type { Reply } from '../shared/contract.js';
import { IPC } from '../shared/ipc.js';
import { Router, type Handlers } from '../shared/router.js';
import type { Log } from './log.js';
import { isOwnPage } from './security.js';

export function answerPage(handlers: Handlers, log: Log): void {
  const router = new Router(handlers, (message, error) => log.write('error', message, error));
  ipcMain.handle(IPC.request, async (event, name: unknown, input: unknown): Promise<Reply> => {
    if (isOwnPage(event.senderFrame)) return await router.answer(name, input);
    log.write('error', `Refused a message from ${event.senderFrame?.url ?? 'nowhere'}`);
    return { ok: false, failure: { kind: 'refused', message: 'Unknown sender' } };
  });
  ipcMain.on(IPC.fault, (event, message: unknown) => {
    if (isOwnPage(event.senderFrame)) log.write('error', `page: ${String(message).slice(0, 1000)}`);
  });
}
