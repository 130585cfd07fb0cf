/** Models that stay open from job to job: the source models read last, and the pair of generators used last. */
import { statSync } from 'node:fs';
import { CancelledError } from '../../../schema/errors.js';
import type { ModelChoice } from '../../../schema/values.js';
import { openModelFolder } from '../../onnx/file/model-folder.js';
import type { Generator } from '../../generate/generator.js';
import { openModel, type SourceModel } from './source-model.js';

/** An original and a slimmed model, loaded. */
export interface GeneratorPair {
  original: Generator;
  slimmed: Generator;
}

/** A run has three models at the most: its original, that with fewer tokens, and the one that is slimmed. */
const KEPT = 3;

/** A pair on one provider, and how many work with it. */
interface LoadedPair {
  key: string;
  pair: Promise<GeneratorPair>;
  users: number;
}

export class KeptModels {
  /** By key, the one used last at the end. */
  readonly #models = new Map<string, Promise<SourceModel>>();
  #pair: LoadedPair | undefined;

  /**
   * The model, read anew only if its file has changed or other ones were read since.
   * @param memory bytes that may be used, as for openModel
   * @throws UserError as openModel does
   */
  async model({ model: location, modelFile }: ModelChoice, memory?: number): Promise<SourceModel> {
    const source = openModelFolder(location, modelFile);
    const { mtimeMs, size } = statSync(source.modelPath);
    const key = JSON.stringify([source.modelPath, mtimeMs, size, memory]);
    const model = this.#models.get(key) ?? openModel(location, modelFile, memory);
    this.#models.delete(key);
    this.#models.set(key, model);
    for (const old of [...this.#models.keys()].slice(0, -KEPT)) this.#models.delete(old);
    try {
      return await model;
    } catch (error) {
      if (this.#models.get(key) === model) this.#models.delete(key);
      throw error;
    }
  }

  /**
   * Work with a pair that stays loaded meanwhile, whatever else is asked for, and afterwards until another is.
   * @param key tells the pair from others
   * @throws what loading or the work throws
   */
  async withPair<T>(
    key: string,
    load: () => Promise<GeneratorPair>,
    work: (pair: GeneratorPair) => Promise<T>,
  ): Promise<T> {
    const loaded = await this.#loaded(key, load);
    try {
      return await work(await loaded.pair);
    } catch (error) {
      // Opened anew the next time: what failed may be there again.
      if (this.#pair === loaded && !(error instanceof CancelledError)) this.#pair = undefined;
      throw error;
    } finally {
      loaded.users -= 1;
      await this.#releaseIfUnused(loaded);
    }
  }

  /** Lets go of everything; to be called at the end. */
  async release(): Promise<void> {
    this.#models.clear();
    const pair = this.#pair;
    this.#pair = undefined;
    if (pair) await this.#releaseIfUnused(pair);
  }

  async #loaded(key: string, load: () => Promise<GeneratorPair>): Promise<LoadedPair> {
    const last = this.#pair;
    if (last?.key === key) {
      last.users += 1;
      return last;
    }
    this.#pair = undefined;
    if (last) await this.#releaseIfUnused(last);
    const loaded = { key, pair: load(), users: 1 };
    this.#pair = loaded;
    return loaded;
  }

  async #releaseIfUnused(loaded: LoadedPair): Promise<void> {
    if (loaded === this.#pair || loaded.users > 0) return;
    const pair = await loaded.pair.catch(() => undefined);
    await pair?.original.release();
    await pair?.slimmed.release();
  }
}
