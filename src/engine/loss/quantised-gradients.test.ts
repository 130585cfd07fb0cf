/** Gradients through quantised weights, by which the weights are known only up to their scales. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import {
  QUANTISATIONS,
  quantiseProducts,
  type Quantisation,
} from '../../../test/graphs/quantise-products.js';
import { lossBatchOf, randomScales, skippedOfBothKinds } from '../../../test/support/random-scales.js';
import { measureSlope } from '../../../test/support/slope.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { openGradientModel } from './open-gradient-model.js';

describe('the gradient through weights quantised as', () => {
  it.each(QUANTISATIONS)('%s', async (quantisation) => {
    const opset = quantisation.includes('blocks') ? 21 : 14;
    const plain = buildDecoder(decoderStyles[0]!, { hidden: 32, opset });
    const decoder = readDecoder(quantiseProducts(plain, quantisation));
    const options = { skipped: skippedOfBothKinds, granularity: 'channel' } as const;
    const slope = await measureSlope(decoder, lossBatchOf(decoder), options);
    expect(slope.error).toBeLessThan(2e-3);
    // The forward model rounds activations where the quantisation says so, and where onnxruntime makes MatMulNBits of a
    // MatMul behind a DequantizeLinear.
    const isRounded = !/^MatMul(NBits|Bnb4)(?!.*accuracy)/.test(quantisation);
    expect(Math.abs(slope.loss - slope.forwardLoss)).toBeLessThan(isRounded ? 0.05 : 1e-4);
  });
});

/** Weights that stay packed are decoded in every run. */
describe('weights that are decoded once', () => {
  const quantisations: Quantisation[] = [
    'MatMulNBits 4 with zero points',
    'MatMulNBits 8',
    'MatMulInteger by channel',
    'DequantizeLinear in blocks',
  ];
  it.each(quantisations)('give the gradient that packed ones give: %s', async (quantisation) => {
    const opset = quantisation.includes('blocks') ? 21 : 14;
    const plain = buildDecoder(decoderStyles[0]!, { hidden: 32, opset });
    const decoder = readDecoder(quantiseProducts(plain, quantisation));
    const gradientWith = async (sparesMemory: boolean) => {
      const options = {
        skipped: [],
        granularity: 'channel',
        runOptions: { sparesMemory, threads: 1 },
      } as const;
      const model = await openGradientModel(decoder, options);
      try {
        return await model.run(lossBatchOf(decoder), randomScales(decoder, [], 'channel'));
      } finally {
        await model.release();
      }
    };
    const [decoded, packed] = [await gradientWith(false), await gradientWith(true)];
    expect(decoded.loss).toBeCloseTo(packed.loss, 5);
    for (const [key, slopes] of decoded.gradients)
      slopes.forEach((slope, index) => expect(slope).toBeCloseTo(packed.gradients.get(key)![index]!, 4));
  });
});
