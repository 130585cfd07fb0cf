/** Step 5: comparisons that can be stopped by their ticket, one at a time, what somebody waits for first. */
import {
  compareHeldout,
  comparePrompt,
  measurePoint,
  type JobContext,
  type JobEvent,
} from '../engine/index.js';
import type { CheckedInput, RequestOutput } from '../shared/contract.js';
import { logLine, type EngineShell } from './engine-shell.js';
import type { Tickets } from './tickets.js';

export class Comparisons {
  readonly #shell: EngineShell;
  readonly #tickets: Tickets;

  constructor(shell: EngineShell, tickets: Tickets) {
    this.#shell = shell;
    this.#tickets = tickets;
  }

  async ask(asked: CheckedInput<'compare.ask'>): Promise<RequestOutput<'compare.ask'>> {
    const { ticket, run, blocks, ...prompt } = asked;
    return await this.#tickets.runUrgent(ticket, (signal) =>
      comparePrompt({ models: { run, blocks }, ...prompt }, this.#context(ticket, signal)),
    );
  }

  stop(ticket: string): void {
    this.#tickets.stop(ticket);
  }

  async heldout({
    ticket,
    ...point
  }: CheckedInput<'compare.heldout'>): Promise<RequestOutput<'compare.heldout'>> {
    return await this.#tickets.run(ticket, (signal, giveWay) =>
      compareHeldout(point, { ...this.#context(ticket, signal), giveWay }),
    );
  }

  async measure({
    ticket,
    ...point
  }: CheckedInput<'compare.measure'>): Promise<RequestOutput<'compare.measure'>> {
    return await this.#tickets.run(ticket, (signal) => measurePoint(point, this.#context(ticket, signal)));
  }

  #context(ticket: string, signal: AbortSignal): JobContext {
    return { ...this.#shell.jobs, signal, on: (event) => this.#pass(ticket, event) };
  }

  #pass(ticket: string, event: JobEvent): void {
    const { emit, log } = this.#shell;
    const progress = (what: 'answers' | 'export' | 'speed', done: number, total: number) =>
      emit('compare.progress', { ticket, what, done, total });
    if (event.type === 'token') {
      const { type: _, ...token } = event;
      emit('compare.token', { ticket, ...token });
    } else if (event.type === 'answers') progress('answers', event.done, event.total);
    else if (event.type === 'round') progress('speed', event.done, event.total);
    else if (event.type === 'stage' && event.stage === 'exporting') progress('export', 0, 1);
    else if (event.type === 'stage' && event.stage === 'measuring speed') progress('export', 1, 1);
    const line = logLine(event);
    if (line !== undefined) log('info', `comparing: ${line}`);
  }
}
