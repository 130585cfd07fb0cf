/** Texts of a small decoder, written in batches with the graph that is rewritten for them, and with the graph as it is. */
import { expect } from 'vitest';
import type { Decoder } from '../../src/engine/decoder/decoder.js';
import { Generator } from '../../src/engine/generate/generator.js';

export async function expectSameTextsInBatches(decoder: Decoder): Promise<void> {
  const prompts = [
    [3, 1, 4, 1, 5],
    [9, 2],
    [6, 5, 3],
  ];
  const alike = prompts.map((prompt) => [2, 7, 1, 8, 2, ...prompt]);
  const settings = { maxNewTokens: 20, stopTokens: new Set<number>() };
  const asWritten = await Generator.open(decoder);
  const inBatches = await Generator.openForBatches(decoder);
  for (const texts of [prompts, alike])
    expect(await inBatches.generate(texts, settings)).toEqual(
      await asWritten.generate(texts, { ...settings, batchRows: 1 }),
    );
  await asWritten.release();
  await inBatches.release();
}
