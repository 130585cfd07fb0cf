/** Both models of a comparison, loaded: the original and one point of a run's curve. The last pair stays loaded. */
import { loadTokenizer, type ModelTokenizer } from '../engine/data/tokenizer.js';
import { CancelledError } from '../schema/errors.js';
import { slimmedForAnswers } from '../engine/jobs/parts/write-point.js';
import { Generator } from '../engine/generate/generator.js';
import { MemoryPlanner } from '../engine/jobs/parts/memory-plan.js';
import type { SessionOptions } from '../engine/runtime/session.js';
import { withSession } from '../engine/jobs/parts/settings.js';
import type { RunPoint } from '../shared/compare.js';
import type { EngineContext } from './engine-context.js';
import { openRunPoint, type TrainedPoint } from '../engine/jobs/parts/run-point.js';

export interface ModelPair {
  tokenizer: ModelTokenizer;
  original: Generator;
  slimmed: Generator;
}

/** A pair on one provider, and how many work with it. */
interface Loaded {
  key: string;
  pair: Promise<ModelPair>;
  users: number;
}

export class ModelPairs {
  readonly #context: EngineContext;
  #last: Loaded | undefined;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /**
   * Work with a pair that stays loaded meanwhile, whatever else is asked for.
   * @throws UserError if the point cannot be opened or onnxruntime cannot load a model
   */
  async use<T>(wanted: RunPoint, work: (pair: ModelPair) => Promise<T>): Promise<T> {
    const point = await openRunPoint(this.#context, wanted);
    return await withSession(
      point.run.settings,
      async (session) => {
        const loaded = await this.#loaded(point, wanted, session);
        try {
          return await work(await loaded.pair);
        } catch (error) {
          // Opened anew the next time: what failed may be there again.
          if (this.#last === loaded && !(error instanceof CancelledError)) this.#last = undefined;
          throw error;
        } finally {
          loaded.users -= 1;
          await this.#releaseIfUnused(loaded);
        }
      },
      (reason) => this.#context.log('info', `comparing: ${reason}`),
    );
  }

  async #loaded(point: TrainedPoint, { run, blocks }: RunPoint, session: SessionOptions): Promise<Loaded> {
    const key = JSON.stringify([run, blocks, session.provider]);
    const last = this.#last;
    if (last?.key === key) {
      last.users += 1;
      return last;
    }
    this.#last = undefined;
    if (last) await this.#releaseIfUnused(last);
    const loaded = { key, pair: this.#load(point, session), users: 1 };
    this.#last = loaded;
    return loaded;
  }

  async #releaseIfUnused(loaded: Loaded): Promise<void> {
    if (loaded === this.#last || loaded.users > 0) return;
    const pair = await loaded.pair.catch(() => undefined);
    await pair?.original.release();
    await pair?.slimmed.release();
  }

  async #load(point: TrainedPoint, session: SessionOptions): Promise<ModelPair> {
    const { model, run } = point;
    const { memory, maxTokens, maxNewTokens, scales } = run.settings;
    const tokenizer = await loadTokenizer(model.source.folder);
    // Prompts are not known yet: as long as the run's rows may be.
    const prompt = Array.from({ length: maxTokens }, () => 0);
    const planner = new MemoryPlanner(memory, session);
    const plan = await planner.forGeneration(model.decoder, [prompt], maxNewTokens);
    const original = await Generator.open(model.decoder, plan.session, plan.batchRows);
    try {
      const decoder = slimmedForAnswers(model, point, scales, plan.session);
      return { tokenizer, original, slimmed: await Generator.open(decoder, plan.session, plan.batchRows) };
    } catch (error) {
      await original.release();
      throw error;
    }
  }
}
