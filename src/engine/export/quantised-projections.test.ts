/** Scales fold into the scales of quantised weights, whose quantised numbers stay as they are. */
import type { BlockName } from '../../schema/blocks.js';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { QUANTISATIONS, quantiseProducts } from '../../../test/graphs/quantise-products.js';
import { lossBatchOf, randomScales, skippedOfBothKinds } from '../../../test/support/random-scales.js';
import { openForwardModel } from '../loss/forward-model.js';
import type { Scales } from '../decoder/scales.js';
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { isFloatingPoint } from '../onnx/graph/data-types.js';
import { tensorBytes } from '../onnx/graph/tensor.js';
import { applyWeightEdits, foldScales } from './fold-scales.js';

const styles = decoderStyles.filter(({ name }) => ['llama', 'gpt-neox'].includes(name));

async function logitsOf(decoder: Decoder, skipped: readonly BlockName[], scales: Scales) {
  const model = await openForwardModel(decoder, { skipped, granularity: 'channel' });
  const wanted = new Set(decoder.graph.inputs.map(({ name }) => name));
  const batch = lossBatchOf(decoder);
  const feeds = Object.fromEntries(
    Object.entries(batch.feeds).filter(([name]) => name.startsWith('hopscotch.') || wanted.has(name)),
  );
  try {
    return await model.logits({ ...batch, feeds }, scales);
  } finally {
    await model.release();
  }
}

describe.each(QUANTISATIONS)('weights quantised as %s', (quantisation) => {
  it.each(styles)('keep the logits in the style of $name', async (style) => {
    const opset = quantisation.includes('blocks') ? 21 : 17;
    const plain = buildDecoder(style, { hidden: 32, opset });
    const decoder = readDecoder(quantiseProducts(plain, quantisation));
    for (const skipped of [[], skippedOfBothKinds]) {
      const scales = randomScales(decoder, skipped, 'channel');
      const expected = await logitsOf(decoder, skipped, scales);
      const folded = applyWeightEdits(foldScales(decoder, skipped, scales));
      const actual = await logitsOf(folded, [], new Map());
      const difference = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
      // Where activations are quantised too, rounding may fall the other way.
      expect(difference).toBeLessThan(
        /Integer|Dynamic|QuantizeLinear of|in blocks|accuracy/.test(quantisation) ? 0.05 : 2e-4,
      );
      expectSameIntegers(decoder, folded);
    }
  });
});

function expectSameIntegers(original: Decoder, folded: Decoder): void {
  for (const tensor of folded.graph.proto.initializer) {
    const before = original.graph.initializer(tensor.name);
    if (!before || isFloatingPoint(tensor.dataType)) continue;
    expect(tensorBytes(tensor, undefined), tensor.name).toEqual(tensorBytes(before, undefined));
  }
}
