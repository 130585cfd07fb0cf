/** The run that is looked at, and the point of its curve. */
import type { Workspace } from '../../shared/app.js';
import type { ModelDescription } from '../../schema/blocks.js';
import type { RunDetails } from '../../schema/runs.js';
import type { CurvePoint } from '../../schema/report.js';
import type { Requests } from '../bridge/requests.svelte.js';
import type { Descriptions } from './descriptions.svelte.js';
import { Loadable } from './loadable.svelte.js';

export class ResultState {
  readonly details = new Loadable<RunDetails>();
  /** The run that was asked for last, open already or not yet. */
  wanted = $state<string>();
  /** Number of skipped blocks. */
  blocks = $state<number>();
  readonly #requests: Requests;
  readonly #remember: (change: Partial<Workspace>) => void;
  readonly #descriptions: Descriptions;

  constructor(
    requests: Requests,
    remember: (change: Partial<Workspace>) => void,
    descriptions: Descriptions,
  ) {
    this.#requests = requests;
    this.#remember = remember;
    this.#descriptions = descriptions;
  }

  async open(run: string, blocks?: number): Promise<RunDetails | undefined> {
    this.wanted = run;
    // The run before is none to look at while another one is read.
    if (run !== this.run) this.details.clear();
    const details = await this.details.load(() => this.#requests.ask('runs.show', { run }));
    if (!details) return undefined;
    const trained = details.trainedPoints;
    const wanted = blocks ?? details.report?.chosenPoint;
    this.blocks = wanted !== undefined && trained.includes(wanted) ? wanted : trained.at(-1);
    this.#remember({ run, point: this.blocks });
    void this.#descriptions.need(details.summary.settings);
    return details;
  }

  /** Something was added to the run; the point that is looked at stays. */
  async refresh(run: string): Promise<void> {
    if (run === this.run) await this.details.load(() => this.#requests.ask('runs.show', { run }));
  }

  /** After the run was deleted. */
  forget(run: string): void {
    if (this.wanted !== run) return;
    this.wanted = undefined;
    this.details.clear();
    this.#remember({ run: undefined, point: undefined });
  }

  pick(blocks: number): void {
    if (blocks === this.blocks || !this.details.value?.trainedPoints.includes(blocks)) return;
    this.blocks = blocks;
    this.#remember({ point: blocks });
  }

  get run(): string | undefined {
    return this.details.value?.summary.id;
  }

  /** The run's own model, whichever is chosen now; undefined where it cannot be read any more. */
  get model(): ModelDescription | undefined {
    return this.#descriptions.of(this.details.value?.summary.settings);
  }

  get point(): CurvePoint | undefined {
    return this.details.value?.report?.points.find(({ skipped }) => skipped.length === this.blocks);
  }

  /** What requests about this point name; undefined while there is none. */
  get target(): { run: string; blocks: number } | undefined {
    return this.run !== undefined && this.point
      ? { run: this.run, blocks: this.point.skipped.length }
      : undefined;
  }

  /** Names the point among those of all runs. */
  get pointKey(): string | undefined {
    return this.target && JSON.stringify(this.target);
  }
}
