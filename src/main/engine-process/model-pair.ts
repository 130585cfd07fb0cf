/** Both models of a comparison, loaded: the original and one point of a run's curve. The last pair stays loaded. */
import { loadTokenizer, type ModelTokenizer } from '../../engine/data/tokenizer.js';
import { Generator } from '../../engine/generate/generator.js';
import { slimmedDecoder } from '../../engine/export-point.js';
import { sessionOptions } from '../../engine/settings.js';
import type { RunPoint } from '../../shared/compare.js';
import type { EngineContext } from './engine-context.js';
import { openRunPoint, type TrainedPoint } from './run-point.js';

export interface ModelPair {
  point: TrainedPoint;
  tokenizer: ModelTokenizer;
  original: Generator;
  slimmed: Generator;
}

export class ModelPairs {
  readonly #context: EngineContext;
  #last: { key: string; pair: Promise<ModelPair> } | undefined;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** @throws UserError if the point cannot be opened or onnxruntime cannot load a model */
  async open(wanted: RunPoint): Promise<ModelPair> {
    const key = JSON.stringify([wanted.run, wanted.blocks]);
    if (this.#last?.key !== key) {
      await this.release();
      this.#last = { key, pair: this.#load(wanted) };
    }
    const { pair } = this.#last;
    try {
      return await pair;
    } catch (error) {
      if (this.#last?.pair === pair) this.#last = undefined;
      throw error;
    }
  }

  async release(): Promise<void> {
    const last = this.#last;
    this.#last = undefined;
    const pair = await last?.pair.catch(() => undefined);
    await pair?.original.release();
    await pair?.slimmed.release();
  }

  async #load(wanted: RunPoint): Promise<ModelPair> {
    const point = await openRunPoint(this.#context, wanted);
    const session = await sessionOptions(point.run.settings);
    const tokenizer = await loadTokenizer(point.model.source.folder);
    const original = await Generator.open(point.model.decoder, session);
    try {
      const slimmed = await Generator.open(slimmedDecoder(point.model, point), session);
      return { point, tokenizer, original, slimmed };
    } catch (error) {
      await original.release();
      throw error;
    }
  }
}
