/** A graph that runs in the session of another one of the same form: with its own weights, under its own names. */
import type { OnnxModel } from '../onnx/file/model-file.js';
import type { GraphForm } from '../onnx/graph/graph-form.js';
import type { FedSession } from './fed-session.js';
import { weightFeeds, weightNames } from './fed-weights.js';
import type { SegmentRunner } from './segment-session.js';
import type { Feeds, Session } from './session.js';

export class FormSession implements SegmentRunner {
  readonly #session: FedSession;
  readonly #weights: Feeds;
  /** The session's names of this graph's values, and the other way round. */
  readonly #inside: ReadonlyMap<string, string>;
  readonly #outside: ReadonlyMap<string, string>;

  /**
   * @param values the graph's names, as of its form
   * @param sessionValues those of the graph that the session was made for
   */
  constructor(
    session: FedSession,
    model: OnnxModel,
    { values }: Pick<GraphForm, 'values'>,
    sessionValues: readonly string[],
  ) {
    this.#session = session;
    this.#inside = new Map(values.map((name, place) => [name, sessionValues[place]!]));
    this.#outside = new Map(values.map((name, place) => [sessionValues[place]!, name]));
    const isOther = values.some((name, place) => name !== sessionValues[place]);
    this.#weights = isOther
      ? this.#renamed(weightFeeds(model, weightNames(model.graph)), this.#inside)
      : session.weights;
  }

  /** @param feeds may hold more than is taken; what is no value of the graph's form has one name for all */
  async run(feeds: Feeds, outputs?: readonly string[]): ReturnType<Session['run']> {
    // What is called here as another value is inside belongs to another graph.
    const own = Object.entries(feeds).filter(([name]) => this.#inside.has(name) || !this.#outside.has(name));
    const inside = this.#renamed(Object.fromEntries(own), this.#inside);
    const wanted = outputs?.map((name) => this.#inside.get(name) ?? name);
    return this.#renamed(await this.#session.run({ ...inside, ...this.#weights }, wanted), this.#outside);
  }

  async unload(): Promise<void> {
    await this.#session.unload();
  }

  #renamed(feeds: Feeds, names: ReadonlyMap<string, string>): Feeds {
    return Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [names.get(name) ?? name, tensor]),
    );
  }
}
