/** Generated responses kept on disk by content: the same model, settings and prompt never generate twice. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { UserError } from '../../schema/errors.js';
import { sha256 } from '../data/sha256.js';
import type { GeneratedText, GenerationSettings } from './generation-settings.js';
import type { Generator } from './generator.js';
import { plainWords } from '../../schema/plain-words.js';

const entrySchema = v.object({
  prompt: v.string(),
  tokens: v.array(v.number()),
  finishedBy: v.picklist(['stop', 'length']),
});

/** The way in which answers are made; another number makes what was kept in another way be forgotten. */
const WAY = 2;

/** One file per model and settings, one line per response, appended as they come. */
export class ResponseCache {
  readonly #file: string;
  readonly #entries = new Map<string, GeneratedText>();
  /** Put before the next line: ends a line that a crash cut short. */
  #separator = '';

  /** @param modelFingerprint changes whenever the model's bytes do */
  constructor(
    folder: string,
    modelFingerprint: string,
    settings: Pick<GenerationSettings, 'maxNewTokens' | 'stopTokens'>,
  ) {
    const stop = [...settings.stopTokens].toSorted((a, b) => a - b);
    const name = sha256(JSON.stringify([WAY, modelFingerprint, settings.maxNewTokens, stop]));
    this.#file = path.join(folder, `responses-${name.slice(0, 32)}.jsonl`);
    if (!existsSync(this.#file)) return;
    const content = readFileSync(this.#file, 'utf8');
    if (content !== '' && !content.endsWith('\n')) this.#separator = '\n';
    for (const line of content.split('\n')) {
      const entry = parseEntry(line);
      if (entry) this.#entries.set(entry.prompt, { tokens: entry.tokens, finishedBy: entry.finishedBy });
    }
  }

  get(prompt: readonly number[]): GeneratedText | undefined {
    return this.#entries.get(promptKey(prompt));
  }

  /** @throws UserError if the disk is full or the folder cannot be written to */
  put(prompt: readonly number[], response: GeneratedText): void {
    const key = promptKey(prompt);
    this.#entries.set(key, response);
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${this.#separator}${JSON.stringify({ prompt: key, ...response })}\n`);
      this.#separator = '';
    } catch (error) {
      throw new UserError(
        `The model's answers could not be saved to ${this.#file} (${plainWords(error)}); free some space or set another folder.`,
      );
    }
  }
}

/** A line cut short by a crash is simply not there. */
function parseEntry(line: string): v.InferOutput<typeof entrySchema> | undefined {
  try {
    const result = v.safeParse(entrySchema, JSON.parse(line));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

function promptKey(prompt: readonly number[]): string {
  return sha256(prompt.join(' '));
}

/**
 * The model's greedy answers to prompts, from the cache where it has them.
 * @param openGenerator called if there are prompts without an answer, with these
 * @param chunk prompts generated between two saves
 * @returns one entry a prompt, and how many of them were generated now
 */
export async function cachedResponses(
  cache: ResponseCache,
  openGenerator: (missing: readonly (readonly number[])[]) => Promise<Generator>,
  prompts: readonly (readonly number[])[],
  settings: GenerationSettings,
  chunk = 64,
): Promise<{ responses: GeneratedText[]; generated: number }> {
  const missing = [...prompts.keys()].filter((index) => !cache.get(prompts[index]!));
  const ordered = missing.toSorted((a, b) => prompts[a]!.length - prompts[b]!.length);
  if (ordered.length > 0) {
    const generator = await openGenerator(ordered.map((index) => prompts[index]!));
    try {
      for (let start = 0; start < ordered.length; start += chunk) {
        const part = ordered.slice(start, start + chunk);
        const responses = await generator.generate(
          part.map((index) => prompts[index]!),
          {
            ...settings,
            onProgress: (answered) =>
              settings.onProgress?.(prompts.length - ordered.length + start + answered),
            onStream: (place, position, stream) => settings.onStream?.(part[place]!, position, stream),
          },
        );
        part.forEach((index, place) => cache.put(prompts[index]!, responses[place]!));
      }
    } finally {
      await generator.release();
    }
  }
  return { responses: prompts.map((prompt) => cache.get(prompt)!), generated: ordered.length };
}
