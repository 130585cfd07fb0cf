/** Step 5: what both models answer. */
import type { Side } from '../../schema/events.js';
import type { HeldoutRow } from '../../schema/results.js';
import type { Workspace } from '../../shared/app.js';
import type { EventPayload, Failure, RequestOutput } from '../../shared/contract.js';
import { failureOf, type Requests } from '../bridge/requests.svelte.js';
import { Loadable } from './loadable.svelte.js';
import type { ResultState } from './result.svelte.js';

export interface LiveAnswer {
  text: string;
  tokens: number;
  seconds: number;
}

const nothingYet = (): LiveAnswer => ({ text: '', tokens: 0, seconds: 0 });

export class CompareState {
  prompt = $state('');
  prompts = $state.raw<string[]>([]);
  /** Which row of the held-out ones is shown; undefined: what was asked. */
  row = $state<number>();
  live = $state.raw<Record<Side, LiveAnswer>>();
  answered = $state.raw<RequestOutput<'compare.ask'>>();
  failure = $state.raw<Failure>();
  asking = $state(false);
  progress = $state.raw<EventPayload<'compare.progress'>>();
  readonly heldout = new Loadable<RequestOutput<'compare.heldout'>>();
  readonly measured = new Loadable<RequestOutput<'compare.measure'>>();
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;
  readonly #result: ResultState;
  #ticket = '';
  /** Of the held-out answers that are under way. */
  #heldoutTicket: string | undefined;

  constructor(requests: Requests, remember: (change: Partial<Workspace>) => void, result: ResultState) {
    this.#requests = requests;
    this.#remember = remember;
    this.#result = result;
    requests.on('compare.token', ({ ticket, side, text, tokens, seconds }) => {
      if (ticket !== this.#ticket || !this.live) return;
      this.live = { ...this.live, [side]: { text: this.live[side].text + text, tokens, seconds } };
    });
    requests.on('compare.progress', (progress) => {
      if (progress.what !== 'answers' || progress.ticket === this.#heldoutTicket) this.progress = progress;
    });
  }

  get heldoutRow(): HeldoutRow | undefined {
    return this.row === undefined ? undefined : this.heldout.value?.rows[this.row];
  }

  async ask(): Promise<void> {
    const target = this.#result.target;
    const prompt = this.prompt.trim();
    if (!target || prompt === '' || this.asking) return;
    this.#ticket = crypto.randomUUID();
    this.row = undefined;
    this.answered = undefined;
    this.failure = undefined;
    this.live = { original: nothingYet(), slimmed: nothingYet() };
    this.asking = true;
    this.prompts = [prompt, ...this.prompts.filter((earlier) => earlier !== prompt)].slice(0, 20);
    this.#remember({ prompts: this.prompts });
    try {
      this.answered = await this.#requests.ask('compare.ask', { ...target, ticket: this.#ticket, prompt });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind !== 'cancelled') this.failure = failure;
    } finally {
      this.asking = false;
    }
  }

  async stop(): Promise<void> {
    await this.#requests.ask('compare.stop', { ticket: this.#ticket });
  }

  /** Both models' answers to the held-out prompts at the point that is looked at. */
  async loadHeldout(): Promise<void> {
    const target = this.#result.target;
    if (!target) return this.heldout.clear();
    // Answers for the point before are of no use any more, and those of this point should not wait for them.
    const before = this.#heldoutTicket;
    const ticket = crypto.randomUUID();
    this.#heldoutTicket = ticket;
    if (before !== undefined) void this.#requests.ask('compare.stop', { ticket: before });
    this.progress = undefined;
    const shown = this.row !== undefined || this.live === undefined;
    await this.heldout.load(() => this.#requests.ask('compare.heldout', { ...target, ticket }));
    if (this.#heldoutTicket === ticket) this.#heldoutTicket = undefined;
    if (shown && this.heldout.value) this.row = this.heldout.value.rows.length > 0 ? 0 : undefined;
  }

  async measure(): Promise<void> {
    const target = this.#result.target;
    if (!target) return;
    this.progress = undefined;
    await this.measured.load(() =>
      this.#requests.ask('compare.measure', { ...target, ticket: crypto.randomUUID() }),
    );
  }

  showRow(row: number): void {
    const rows = this.heldout.value?.rows.length ?? 0;
    if (row >= 0 && row < rows) this.row = row;
  }

  /** Another point of the curve: answers of the point before are no longer its own. */
  forgetPoint(): void {
    this.live = undefined;
    this.answered = undefined;
    this.measured.clear();
  }
}
