/** Step 5: what both models answer at the point that is looked at. */
import type { Workspace } from '../../shared/app.js';
import type { HeldoutRow, Turn } from '../../schema/results.js';
import type { Side } from '../../schema/events.js';
import type { EventPayload, RequestOutput } from '../../shared/contract.js';
import type { Requests } from '../bridge/requests.svelte.js';
import { KeptFor } from './kept-for.svelte.js';
import type { ResultState } from './result.svelte.js';

export interface LiveAnswer {
  text: string;
  tokens: number;
  seconds: number;
}
type Progress = EventPayload<'compare.progress'>;

const KEPT_PROMPTS = 20;
const nothingYet = (): LiveAnswer => ({ text: '', tokens: 0, seconds: 0 });

export class CompareState {
  prompt = $state('');
  prompts = $state.raw<string[]>([]);
  system = $state('');
  temperature = $state<number>();
  seed = $state(0);
  maxNewTokens = $state(256);
  /** Whether a question goes on from what was asked before. */
  chat = $state(false);
  #said = $state.raw<{ point: string | undefined; turns: Turn[] }>();
  /** Which row of the held-out ones is shown; undefined: what was asked. */
  row = $state<number>();
  /** Both models' answers at the point that is looked at to what was asked last. */
  readonly answered: KeptFor<RequestOutput<'compare.ask'>>;
  readonly heldout: KeptFor<RequestOutput<'compare.heldout'>>;
  readonly measured: KeptFor<RequestOutput<'compare.measure'>>;
  heldoutProgress = $state.raw<Progress>();
  measuringProgress = $state.raw<Progress>();
  #live = $state.raw<Record<Side, LiveAnswer>>();
  /** What was asked last, at whichever point. */
  #asked = $state<string>();
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;
  readonly #result: ResultState;
  /** What is under way; undefined where nothing is. */
  readonly #tickets: { ask?: string; heldout?: string; measure?: string } = {};

  constructor(requests: Requests, remember: (change: Partial<Workspace>) => void, result: ResultState) {
    this.#requests = requests;
    this.#remember = remember;
    this.#result = result;
    const point = () => result.pointKey;
    this.answered = new KeptFor(() => {
      const chosen = point();
      return this.#asked === undefined || chosen === undefined
        ? undefined
        : JSON.stringify([chosen, this.#asked]);
    });
    this.heldout = new KeptFor(point);
    this.measured = new KeptFor(point);
    requests.on('compare.token', ({ ticket, side, text, tokens, seconds }) => {
      if (ticket !== this.#tickets.ask || !this.#live) return;
      this.#live = { ...this.#live, [side]: { text: this.#live[side].text + text, tokens, seconds } };
    });
    requests.on('compare.progress', (progress) => {
      if (progress.ticket === this.#tickets.heldout) this.heldoutProgress = progress;
      if (progress.ticket === this.#tickets.measure) this.measuringProgress = progress;
    });
  }

  /** What was said at this point before, the last answers included. */
  get turns(): readonly Turn[] {
    return this.chat && this.#said?.point === this.#result.pointKey ? (this.#said?.turns ?? []) : [];
  }

  /** Begins the conversation anew. */
  forgetTurns(): void {
    this.#said = undefined;
    this.answered.clear();
    this.#live = undefined;
  }

  get asking(): boolean {
    return this.answered.loading;
  }

  /** What both have written so far of what was asked. */
  get live(): Record<Side, LiveAnswer> | undefined {
    return this.answered.isMissing ? undefined : this.#live;
  }

  get heldoutRow(): HeldoutRow | undefined {
    return this.row === undefined ? undefined : this.heldout.value?.rows[this.row];
  }

  async ask(): Promise<void> {
    const { target } = this.#result;
    const prompt = this.prompt.trim();
    if (!target || prompt === '' || this.asking) return;
    const ticket = this.#begin('ask');
    this.row = undefined;
    this.#live = { original: nothingYet(), slimmed: nothingYet() };
    this.prompts = [prompt, ...this.prompts.filter((earlier) => earlier !== prompt)].slice(0, KEPT_PROMPTS);
    this.#remember({ prompts: this.prompts });
    this.#asked = prompt;
    this.answered.clear();
    const { turns, system, temperature, seed, maxNewTokens } = this;
    const point = this.#result.pointKey;
    const answered = await this.answered.load(() =>
      this.#requests.ask('compare.ask', {
        ...target,
        ticket,
        prompt,
        turns: turns.length > 0 ? [...turns] : undefined,
        system: system.trim() === '' ? undefined : system,
        temperature,
        seed,
        maxNewTokens,
      }),
    );
    this.#end('ask', ticket);
    if (!answered || !this.chat) return;
    const turn = { prompt, original: answered.original.text, slimmed: answered.slimmed.text };
    this.#said = { point, turns: [...turns, turn] };
    this.prompt = '';
  }

  async stop(): Promise<void> {
    const { ask: ticket } = this.#tickets;
    if (ticket !== undefined) await this.#requests.ask('compare.stop', { ticket });
  }

  /** Both models' answers to the held-out prompts, unless they are there or on their way. */
  async loadHeldout(): Promise<void> {
    const { target } = this.#result;
    if (!target || this.heldout.loading) return;
    if (this.heldout.value) return this.#keepRow();
    const ticket = this.#begin('heldout');
    this.heldoutProgress = undefined;
    const { prompt } = this;
    await this.heldout.load(async () => {
      const given = await this.#requests.ask('compare.heldout', { ...target, ticket });
      // Who has asked or begun to write meanwhile goes on with that.
      const isFree = this.answered.isMissing && this.prompt === prompt;
      if (this.#tickets.heldout === ticket && isFree) this.#show(given.rows, placeOf(prompt, given.rows));
      return given;
    });
    this.#end('heldout', ticket);
  }

  async measure(): Promise<void> {
    const { target } = this.#result;
    if (!target) return;
    const ticket = this.#begin('measure');
    this.measuringProgress = undefined;
    await this.measured.load(() => this.#requests.ask('compare.measure', { ...target, ticket }));
    this.#end('measure', ticket);
  }

  /** Shows a held-out row with its prompt; one that is not there is not shown. */
  showRow(row: number): void {
    this.#show(this.heldout.value?.rows ?? [], row);
  }

  /** At another point the same row stands elsewhere: the worst come first. */
  #keepRow(): void {
    const rows = this.heldout.value?.rows ?? [];
    if (this.row !== undefined) this.#show(rows, placeOf(this.prompt, rows));
  }

  #show(rows: readonly HeldoutRow[], row: number): void {
    const shown = rows[row];
    if (!shown) return;
    this.row = row;
    this.prompt = shown.prompt;
  }

  /** What is under way of the same kind is of no use any more, and what begins should not wait for it. */
  #begin(what: 'ask' | 'heldout' | 'measure'): string {
    const before = this.#tickets[what];
    if (before !== undefined) void this.#requests.ask('compare.stop', { ticket: before });
    const ticket = crypto.randomUUID();
    this.#tickets[what] = ticket;
    return ticket;
  }

  #end(what: 'ask' | 'heldout' | 'measure', ticket: string): void {
    if (this.#tickets[what] === ticket) delete this.#tickets[what];
  }
}

/** The row with this prompt, else the first. */
function placeOf(prompt: string, rows: readonly HeldoutRow[]): number {
  return Math.max(
    0,
    rows.findIndex((row) => row.prompt === prompt),
  );
}
