/** What each model is made of, as it was read last: the chosen one, and those that runs were made with. */
import { SvelteMap } from 'svelte/reactivity';
import type { OpenedModel } from '../../shared/model.js';
import type { ForeseenImport } from '../../schema/results.js';
import type { ModelChoice } from '../../schema/values.js';
import type { Requests } from '../bridge/requests.svelte.js';

/** One key for each ONNX file of a model. */
export function modelKey({ model, modelFile }: ModelChoice): string {
  return JSON.stringify([model, modelFile]);
}

export class Descriptions {
  readonly #known = new SvelteMap<string, OpenedModel>();
  readonly #reading = new Map<string, Promise<OpenedModel>>();
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  /** Undefined where the model was not read yet, or cannot be. */
  of(choice: ModelChoice | undefined): OpenedModel | undefined {
    return choice && this.#known.get(modelKey(choice));
  }

  /** Reads the model anew. @throws RequestError if it cannot be read */
  async read({ model, modelFile }: ModelChoice): Promise<OpenedModel> {
    const key = modelKey({ model, modelFile });
    const reading = this.#requests.ask('model.open', { model, modelFile });
    this.#reading.set(key, reading);
    try {
      const description = await reading;
      this.#known.set(key, description);
      return description;
    } catch (error) {
      this.#known.delete(key);
      throw error;
    } finally {
      if (this.#reading.get(key) === reading) this.#reading.delete(key);
    }
  }

  /** What the model would become if it were opened; undefined where nothing has to be converted. */
  async conversionOf({ model, modelFile }: ModelChoice): Promise<ForeseenImport | undefined> {
    return (await this.#requests.ask('model.look', { model, modelFile })).conversion;
  }

  /** Reads the model of a run if it is not known; where it is gone or not converted yet, the run is shown without. */
  async need(choice: ModelChoice): Promise<void> {
    const key = modelKey(choice);
    if (this.#known.has(key) || this.#reading.has(key)) return;
    try {
      if (!(await this.conversionOf(choice))) await this.read(choice);
    } catch {
      // Shown without.
    }
  }
}
