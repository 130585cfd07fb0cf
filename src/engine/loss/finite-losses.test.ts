import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../test/support/random-scales.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { heldoutQuality } from '../evaluate/heldout-quality.js';
import { floatTensor, tensorDims } from '../onnx/graph/tensor.js';
import { requireOwnNumbers } from './finite-losses.js';
import { openForwardModel } from './forward-model.js';

describe('losses that are not numbers', () => {
  it.each([[NaN], [0.5, Infinity]])('are refused: %j', (...losses) => {
    expect(() => requireOwnNumbers(losses)).toThrow(/^The model's own logits are not numbers .*\.$/);
  });

  it('are none where all are finite', () => {
    expect(() => requireOwnNumbers([0, 1e30])).not.toThrow();
  });

  it('stop the measurement of an original before anything is learnt from it', async () => {
    const model = buildDecoder(decoderStyles[0]!);
    const { initializer } = model.graph;
    const place = initializer.findIndex(({ dims }) => dims.length === 1);
    const gain = initializer[place]!;
    const values = new Float32Array(Number(gain.dims[0])).fill(NaN);
    initializer[place] = floatTensor(gain.name, tensorDims(gain), values);
    const decoder = readDecoder(model);
    const original = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
    const measured = heldoutQuality({ model: original, scales: new Map() }, [lossBatchOf(decoder)]);
    await expect(measured).rejects.toThrow(/own logits are not numbers/);
    await original.release();
  });
});
