/** Lists of prompts as the main process sees them: one at a time, in an engine's process of their own. */
import type { ComparisonSummary } from '../schema/comparison.js';
import { UserError } from '../schema/errors.js';
import type { CheckedInput, EventPayload } from '../shared/contract.js';
import type { EngineHost } from './engine-host/engine-host.js';
import type { Emit } from './events.js';

type Asked = Pick<EngineHost, 'ask'>;

export class ComparisonTracker {
  readonly #worker: Asked & Pick<EngineHost, 'end'>;
  readonly #desk: Asked;
  readonly #emit: Emit;
  /** The one that is worked on; '' while it is being begun. */
  #active: string | undefined;

  constructor(worker: Asked & Pick<EngineHost, 'end'>, desk: Asked, emit: Emit) {
    this.#worker = worker;
    this.#desk = desk;
    this.#emit = emit;
  }

  /** @throws UserError if one is worked on already, PassedFailure with what the engine says */
  async start(settings: CheckedInput<'comparisons.start'>): Promise<ComparisonSummary> {
    return await this.#begin(() => this.#worker.ask('comparisons.start', settings));
  }

  /** @throws as `start` */
  async resume(id: string): Promise<ComparisonSummary> {
    return await this.#begin(() => this.#worker.ask('comparisons.resume', { id }));
  }

  async stop(): Promise<void> {
    if (this.#active) await this.#worker.ask('comparisons.stop', undefined);
  }

  /** Goes on with what the app's end has interrupted. */
  async goOn(): Promise<void> {
    const kept = await this.#desk.ask('comparisons.list', undefined);
    const interrupted = kept.find((comparison) => comparison.interrupted);
    if (interrupted && this.#active === undefined) await this.resume(interrupted.id);
  }

  async list(): Promise<ComparisonSummary[]> {
    const kept = await this.#desk.ask('comparisons.list', undefined);
    // What is kept says so a little later than this process knows.
    return kept.map((one) =>
      one.id === this.#active && one.status !== 'finished'
        ? { ...one, status: 'running', interrupted: false, error: undefined }
        : one,
    );
  }

  async delete(id: string): Promise<ComparisonSummary[]> {
    if (id === this.#active) throw new UserError('This comparison is going on; stop it first.');
    return await this.#desk.ask('comparisons.delete', { id });
  }

  /** Its process gives all its memory back. */
  async onEnded(payload: EventPayload<'comparison.ended'>): Promise<void> {
    this.#active = undefined;
    this.#worker.end();
    this.#emit('comparison.ended', payload);
    await this.#tell();
  }

  async onCrash(): Promise<void> {
    const id = this.#active;
    this.#active = undefined;
    if (id) this.#emit('comparison.ended', { id });
    await this.#tell();
  }

  async #begin(ask: () => Promise<ComparisonSummary>): Promise<ComparisonSummary> {
    if (this.#active !== undefined)
      throw new UserError('A comparison is going on; stop it first, or wait for its end.');
    this.#active = '';
    try {
      const begun = await ask();
      this.#active = begun.id;
      void this.#tell();
      return begun;
    } catch (error) {
      this.#active = undefined;
      this.#worker.end();
      throw error;
    }
  }

  async #tell(): Promise<void> {
    this.#emit('comparisons.changed', await this.list());
  }
}
