/** The greedy baseline: what it chooses follows from the logits of models without the blocks, compared here by hand. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import type { BlockName } from '../../../schema/blocks.js';
import { blockNames, type Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { unsavedCheckpoint } from '../checkpoint.js';
import { greedySelection } from './greedy-selection.js';
import { selectBlocks } from './select-blocks.js';

const styles = decoderStyles.filter((style) => ['llama', 'gpt2', 'gpt-neox'].includes(style.name));

describe.each(styles)('a decoder in the style of $name', (style) => {
  it("loses one after the other the blocks without which it stays nearest to the original, whatever the file's answers are", async () => {
    const decoder = readDecoder(buildDecoder(style));
    const batch = lossBatchOf(decoder);
    const checkpoint = unsavedCheckpoint();
    let work = 0;
    const context = {
      decoder,
      batches: [batch],
      smallBatches: [],
      granularity: 'channel+gain' as const,
      seed: 0,
      learningRate: 0,
      runOptions: undefined,
      signal: undefined,
      loss: 'cross-entropy' as const,
      start: undefined,
      trialRows: { judged: [batch], training: [], validation: [] },
      onWork: (passes: number) => (work += passes),
    };
    const options = { strategy: greedySelection, kinds: ['attention', 'mlp'] as const, budget: 3 };
    const chosen = await selectBlocks(context, options, checkpoint, () => {});

    const original = await logitsWithout(decoder, [], batch);
    const skipped: BlockName[] = [];
    for (const [round, block] of chosen.entries()) {
      const { losses } = checkpoint.state.rounds[round]!;
      const candidates = Object.keys(losses) as BlockName[];
      const own = new Map<BlockName, number>();
      for (const candidate of candidates) {
        const logits = await logitsWithout(decoder, [...skipped, candidate], batch);
        own.set(candidate, divergence(original, logits, decoder.vocabularySize));
        expect(losses[candidate], `${candidate} in round ${round}`).toBeCloseTo(own.get(candidate)!, 3);
      }
      expect(block).toBe(candidates.toSorted((a, b) => own.get(a)! - own.get(b)!)[0]);
      skipped.push(block);
    }
    expect(new Set(chosen).size).toBe(3);
    expect(blockNames(decoder)).toEqual(expect.arrayContaining(chosen));
    expect(work).toBeGreaterThan(0);
    expect(batch.targets).toBeUndefined();
  });
});

async function logitsWithout(
  decoder: Decoder,
  skipped: readonly BlockName[],
  batch: LossBatch,
): Promise<Float32Array> {
  const model = await openForwardModel(decoder, { skipped, granularity: 'scalar' });
  try {
    for await (const { logits } of model.runEachWithLogits([{ batch, scales: new Map() }])) return logits;
    throw new Error('no logits');
  } finally {
    await model.release();
  }
}

/** Mean over the positions of KL(p || q) of two sets of logits [positions, vocabulary], in nats. */
function divergence(p: Float32Array, q: Float32Array, vocabulary: number): number {
  let total = 0;
  for (let start = 0; start < p.length; start += vocabulary) {
    const [a, b] = [p, q].map((logits) => logLikelihoods(logits.subarray(start, start + vocabulary)));
    total += a!.reduce((sum, value, token) => sum + Math.exp(value) * (value - b![token]!), 0);
  }
  return total / (p.length / vocabulary);
}

function logLikelihoods(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const norm = largest + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return [...logits].map((value) => value - norm);
}
