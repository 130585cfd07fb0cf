/** A list of prompts through several models, one prompt at a time; kept as it comes, so that it can be stopped anywhere. */
import { isDeepStrictEqual } from 'node:util';
import type {
  Comparison,
  ComparisonDetails,
  ComparisonSettings,
  ComparisonSummary,
  KeptAnswer,
} from '../../schema/comparison.js';
import { CancelledError, throwIfCancelled, UserError } from '../../schema/errors.js';
import { forUsers } from '../../schema/plain-words.js';
import { stopTokenIds } from '../data/conversation-text.js';
import { encodeConversationPrompt } from '../data/encode-examples.js';
import { withSystem } from '../data/messages.js';
import type { ModelTokenizer } from '../data/tokenizer.js';
import type { Generator } from '../generate/generator.js';
import { ComparisonStore, type KeptPrompt } from '../runs/comparison-store.js';
import { comparisonDetails, comparisonSummary } from './comparisons.js';
import type { JobContext } from './context.js';
import { comparedNames, withComparedModel } from './parts/compared-model.js';
import { comparisonPrompts } from './parts/comparison-prompts.js';
import { TimeLeft } from './parts/time-left.js';

/** Models take turns after so many seconds, and not before loading one is a small part of its turn. */
const TURN_SECONDS = 8;
const TURN_LOADS = 8;

/**
 * Notes what is to be compared; nothing is answered yet. One that was begun with the same settings and is not finished
 * is given again.
 * @throws UserError if a model or the prompts are not there
 */
export async function newComparison(
  settings: ComparisonSettings,
  context: JobContext,
): Promise<ComparisonSummary> {
  const store = new ComparisonStore(context.store);
  const begun = store
    .list()
    .find((one) => one.status !== 'finished' && isDeepStrictEqual(plain(one.settings), plain(settings)));
  if (begun) return comparisonSummary(store, begun);
  const names = await comparedNames(settings.models, context);
  const asked = await comparisonPrompts(settings.prompts, settings.count, context);
  return comparisonSummary(store, store.create({ settings, names, ...asked }));
}

/** Without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/**
 * Answers what is not answered yet.
 * @throws UserError if a model cannot be loaded or another process works on it; CancelledError if stopped
 */
export async function compareList(
  { comparison: id }: { comparison: string },
  context: JobContext,
): Promise<ComparisonDetails> {
  const store = new ComparisonStore(context.store);
  const comparison = store.open(id);
  const unlock = store.lock(id);
  try {
    store.update(comparison, {
      status: 'running',
      process: process.pid,
      error: undefined,
      answersAtStart: store.answers(id).length,
    });
    await new ListOfPrompts(store, comparison, context).answerAll();
    store.update(comparison, { status: 'finished', process: undefined });
  } catch (thrown) {
    const error = forUsers(thrown);
    const ending =
      error instanceof CancelledError
        ? { status: 'stopped' as const }
        : { status: 'failed' as const, error: error instanceof UserError ? error.message : undefined };
    store.update(comparison, { ...ending, process: undefined });
    throw thrown;
  } finally {
    unlock();
  }
  return comparisonDetails(id, context);
}

/** The work on one comparison. */
class ListOfPrompts {
  readonly #store: ComparisonStore;
  readonly #comparison: Comparison;
  readonly #context: JobContext;
  readonly #prompts: readonly KeptPrompt[];
  /** By model: places of prompts that are answered. */
  readonly #answered: readonly Set<number>[];
  readonly #time = new TimeLeft();

  constructor(store: ComparisonStore, comparison: Comparison, context: JobContext) {
    this.#store = store;
    this.#comparison = comparison;
    this.#context = context;
    this.#prompts = store.prompts(comparison.id);
    const kept = store.answers(comparison.id);
    this.#answered = comparison.settings.models.map(
      (_, place) => new Set(kept.filter(({ model }) => model === place).map(({ prompt }) => prompt)),
    );
  }

  /** Models take turns at parts of the list, so that what slows the machine down meets all of them. */
  async answerAll(): Promise<void> {
    this.#tell();
    for (let first = 0; first < this.#prompts.length;) {
      let end: number | undefined;
      for (const [place] of this.#answered.entries()) end = await this.#turn(place, first, end);
      first = end!;
    }
  }

  /**
   * One model's turn at the prompts from `first` on.
   * @param end where the turn ends; undefined: where its time is up
   * @returns the place after the last prompt of the part
   */
  async #turn(place: number, first: number, end: number | undefined): Promise<number> {
    const { settings } = this.#comparison;
    const last = end ?? this.#prompts.length;
    const missing = () => {
      for (let prompt = first; prompt < last; prompt += 1)
        if (!this.#answered[place]!.has(prompt)) return prompt;
      return undefined;
    };
    if (missing() === undefined) return last;
    const began = performance.now();
    return await withComparedModel(
      settings.models[place]!,
      settings.maxNewTokens,
      this.#context,
      async (generator, tokenizer) => {
        const loaded = performance.now();
        const limit = Math.max(TURN_SECONDS * 1000, TURN_LOADS * (loaded - began));
        for (let prompt = missing(); prompt !== undefined; prompt = missing()) {
          if (end === undefined && performance.now() - loaded > limit) return prompt;
          throwIfCancelled(this.#context.signal);
          const answer = await this.#ask(generator, tokenizer, place, prompt);
          this.#store.addAnswer(this.#comparison.id, answer);
          this.#answered[place]!.add(prompt);
          this.#tell();
        }
        return last;
      },
    );
  }

  async #ask(
    generator: Generator,
    tokenizer: ModelTokenizer,
    model: number,
    prompt: number,
  ): Promise<KeptAnswer> {
    const { settings } = this.#comparison;
    const { signal, giveWay } = this.#context;
    const nothing = { model, prompt, text: '', tokens: 0, promptTokens: 0, promptSeconds: 0, seconds: 0 };
    let ids: number[];
    try {
      const messages = withSystem(this.#prompts[prompt]!.messages, settings.system);
      ids = encodeConversationPrompt(tokenizer, messages, { model: generator.reads });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { ...nothing, cut: false, problem: error.message };
    }
    const stopTokens = new Set(stopTokenIds(tokenizer));
    const before = { ...generator.timing };
    const [generated] = await generator.generate([ids], {
      maxNewTokens: settings.maxNewTokens,
      stopTokens,
      signal,
      giveWay,
      // Each prompt has a seed of its own, whichever are answered in one go.
      sampling:
        settings.temperature === undefined
          ? undefined
          : { temperature: settings.temperature, seed: settings.seed + prompt },
    });
    const { tokens, finishedBy } = generated!;
    const said = tokens.filter((token) => !stopTokens.has(token));
    return {
      model,
      prompt,
      text: tokenizer.decode(said, { skipSpecialTokens: true }).trim(),
      tokens: tokens.length,
      promptTokens: ids.length,
      promptSeconds: generator.timing.promptSeconds - before.promptSeconds,
      seconds: generator.timing.newSeconds - before.newSeconds,
      cut: finishedBy === 'length',
    };
  }

  #tell(): void {
    const done = this.#answered.reduce((sum, { size }) => sum + size, 0);
    const total = this.#answered.length * this.#prompts.length;
    this.#context.on({
      type: 'answers',
      done,
      total,
      secondsLeft: this.#time.after('answers', done, total),
    });
  }
}
