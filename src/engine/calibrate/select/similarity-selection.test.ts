/** The baselines that measure similarity: what they choose follows from the stream, computed here by hand. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../../test/support/random-scales.js';
import { blockName, blocksOf, type Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { openSession } from '../../runtime/session.js';
import { float32Values } from '../../runtime/tensors.js';
import { unsavedCheckpoint } from '../checkpoint.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { selectBlocks } from './select-blocks.js';
import { blockInfluenceSelection, cosineSelection } from './similarity-selection.js';
import { measureSimilarity } from './stream-similarity.js';

const styles = decoderStyles.filter((style) => ['llama', 'gpt2', 'gpt-neox'].includes(style.name));

describe.each(styles)('a decoder in the style of $name', (style) => {
  const decoder = readDecoder(buildDecoder(style));
  const batch = lossBatchOf(decoder);

  it('has the cosines of its residual stream', async () => {
    const { byBlock, layers } = await measureSimilarity(decoder, [batch], undefined, () => {});
    const stream = await streamOf(decoder, batch);
    const cosine = (a: Float32Array, b: Float32Array) => meanCosine(a, b, batch, decoder.hiddenSize);
    for (const step of decoder.steps) {
      const before = stream.get(step.input)!;
      for (const block of step.blocks) {
        const added = stream.get(block.output)!;
        const expected = cosine(
          before,
          before.map((value, index) => value + added[index]!),
        );
        expect(byBlock.get(blockName(block)), blockName(block)).toBeCloseTo(expected, 5);
      }
    }
    for (let layer = 0; layer < decoder.layerCount; layer += 1) {
      const steps = decoder.steps.filter((step) => step.layer === layer);
      const expected = cosine(stream.get(steps[0]!.input)!, stream.get(steps.at(-1)!.output)!);
      expect(layers.get(layer), `layer ${layer}`).toBeCloseTo(expected, 5);
    }
  });

  it.each([cosineSelection, blockInfluenceSelection])(
    'loses the blocks that are most alike first ($name)',
    async (strategy) => {
      let work = 0;
      const context = {
        decoder,
        batches: [batch],
        smallBatches: [],
        granularity: 'scalar' as const,
        seed: 0,
        learningRate: 0,
        runOptions: undefined,
        signal: undefined,
        loss: 'cross-entropy' as const,
        start: undefined,
        trialRows: { judged: [], training: [], validation: [] },
        onWork: (passes: number) => (work += passes),
      };
      const options = { strategy, kinds: ['attention'] as const, budget: 2 };
      const chosen = await selectBlocks(context, options, unsavedCheckpoint(), () => {});
      const { byBlock, layers } = await measureSimilarity(decoder, [batch], undefined, () => {});
      const attention = blocksOf(decoder).filter((block) => block.kind === 'attention');
      const likeness = (layer: number) =>
        strategy === cosineSelection ? byBlock.get(`attention ${layer}`)! : layers.get(layer)!;
      const expected = attention.map(({ layer }) => layer).toSorted((a, b) => likeness(b) - likeness(a));
      expect(chosen).toEqual(expected.slice(0, 2).map((layer) => `attention ${layer}`));
      expect(work).toBe(1);
    },
  );
});

/** Values of the stream and of what is added to it, by name. */
async function streamOf(decoder: Decoder, batch: LossBatch): Promise<Map<string, Float32Array>> {
  const copy = readDecoder(decoder.model);
  const names = new Set(
    decoder.steps.flatMap((step) => [step.input, step.output, ...step.blocks.map((block) => block.output)]),
  );
  const outputs = copy.graph.proto.output;
  copy.graph.proto.output = [...names].map((name) =>
    makeValueInfo(name, DataType.FLOAT, ['rows', 'positions', decoder.hiddenSize]),
  );
  const session = await openSession(copy.model);
  copy.graph.proto.output = outputs;
  const wanted = new Set(decoder.graph.inputs.map(({ name }) => name));
  const feeds = Object.fromEntries(Object.entries(batch.feeds).filter(([name]) => wanted.has(name)));
  const results = await session.run(feeds);
  await session.release();
  return new Map([...names].map((name) => [name, float32Values(results[name]!)]));
}

function meanCosine(a: Float32Array, b: Float32Array, batch: LossBatch, width: number): number {
  let total = 0;
  let tokens = 0;
  batch.mask.forEach((isToken, place) => {
    if (!isToken) return;
    const [x, y] = [a, b].map((values) => values.slice(place * width, (place + 1) * width));
    const dot = (p: Float32Array, q: Float32Array) => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
    total += dot(x!, y!) / Math.sqrt(dot(x!, x!) * dot(y!, y!));
    tokens += 1;
  });
  return total / tokens;
}
