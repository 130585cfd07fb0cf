/** A session that is opened at its first use, and that several graphs of one form run in, each with its own weights. */
import type { OnnxModel } from '../onnx/file/model-file.js';
import { feedableWeights, weightFeeds, weightNames, withInputsFor } from './fed-weights.js';
import { openSession, type Feeds, type RunOptions, type Session } from './session.js';

export class FedSession {
  /** The weights of the graph that it is opened for: what is fed where a run brings none of its own. */
  readonly weights: Feeds;
  /** Whether graphs of the same form can run here: no weight lies in the session. */
  readonly takesAll: boolean;
  readonly #model: OnnxModel;
  readonly #options: RunOptions;
  readonly #inputs: ReadonlySet<string>;
  #session: Session | undefined;

  constructor(model: OnnxModel, options: RunOptions) {
    const fed = feedableWeights(model.graph);
    this.weights = weightFeeds(model, fed);
    this.takesAll = fed.size === weightNames(model.graph).size;
    this.#model = withInputsFor(model, fed);
    this.#options = options;
    this.#inputs = new Set(this.#model.graph.input.map(({ name }) => name));
  }

  /** @param feeds may hold more than is taken */
  async run(feeds: Feeds, outputs?: readonly string[]): ReturnType<Session['run']> {
    this.#session ??= await openSession(this.#model, this.#options);
    const own = Object.entries({ ...this.weights, ...feeds }).filter(([name]) => this.#inputs.has(name));
    return await this.#session.run(Object.fromEntries(own), outputs);
  }

  async unload(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}
