import { appendFileSync, readFileSync, readdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { CancelledError } from '../../schema/errors.js';
import type { GenerationSettings } from './generation-settings.js';
import { Generator } from './generator.js';
import { ResponseCache, cachedResponses } from './response-cache.js';

const settings: GenerationSettings = { maxNewTokens: 5, stopTokens: new Set([3, 1]) };
const prompts = [[1, 2, 3], [4], [5, 6, 7, 8], [4, 4], [9, 1, 1]];
const open = async () => await Generator.open(readDecoder(buildDecoder(decoderStyles[0]!)), { threads: 1 });

let folder: string;
beforeEach(() => {
  folder = path.join(temporaryFolder(), 'cache');
});

describe('cached responses', () => {
  it('are generated once; a second run opens no model', async () => {
    const first = await cachedResponses(cache(), open, prompts, settings, 2);
    expect(first.generated).toBe(prompts.length);
    const second = await cachedResponses(cache(), unexpected, prompts.toReversed(), settings);
    expect(second.generated).toBe(0);
    expect(second.responses).toEqual(first.responses.toReversed());
  });

  it('belong to one model and its settings, however the stop tokens are ordered', async () => {
    await cachedResponses(cache(), open, prompts, settings);
    expect(cache({ stopTokens: new Set([1, 3]) }).get(prompts[0]!)).toBeDefined();
    expect(cache({ maxNewTokens: 6 }).get(prompts[0]!)).toBeUndefined();
    expect(cache({ stopTokens: new Set([1]) }).get(prompts[0]!)).toBeUndefined();
    expect(new ResponseCache(folder, 'another model', settings).get(prompts[0]!)).toBeUndefined();
  });

  it('survive a last line that a crash cut short: only that one is generated again', async () => {
    const { responses } = await cachedResponses(cache(), open, prompts, settings);
    const file = path.join(folder, readdirSync(folder)[0]!);
    truncateSync(file, readFileSync(file).length - 9);
    const again = await cachedResponses(cache(), open, prompts, settings);
    expect(again).toEqual({ responses, generated: 1 });
    // The new line must not be glued to the broken one.
    expect((await cachedResponses(cache(), unexpected, prompts, settings)).responses).toEqual(responses);
  });

  it('pass over lines that are not theirs', async () => {
    const { responses } = await cachedResponses(cache(), open, prompts, settings);
    appendFileSync(path.join(folder, readdirSync(folder)[0]!), '{"prompt": 7}\n\n[]\n');
    expect((await cachedResponses(cache(), unexpected, prompts, settings)).responses).toEqual(responses);
  });

  it('keep what was generated before a stop', async () => {
    const controller = new AbortController();
    const stopped = cachedResponses(
      cache(),
      open,
      prompts,
      {
        ...settings,
        signal: controller.signal,
        onProgress: (answered) => answered === 2 && controller.abort(),
      },
      2,
    );
    await expect(stopped).rejects.toThrow(CancelledError);
    expect((await cachedResponses(cache(), open, prompts, settings)).generated).toBe(3);
  });

  it('say so if they cannot be saved', async () => {
    appendFileSync(folder, 'a file where the folder should be');
    await expect(cachedResponses(cache(), open, prompts, settings)).rejects.toThrow(
      /could not be saved to .*free some space or set another folder\.$/,
    );
  });

  function cache(other: Partial<GenerationSettings> = {}): ResponseCache {
    return new ResponseCache(folder, 'a model', { ...settings, ...other });
  }
});

async function unexpected(): Promise<Generator> {
  throw new Error('The model was opened though all is in the cache');
}
