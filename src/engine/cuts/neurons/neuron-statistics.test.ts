import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { quantiseProducts } from '../../../../test/graphs/quantise-products.js';
import { sampleBatches, sampleDecoder } from '../../../../test/support/sample.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { tensorToFloat32 } from '../../onnx/graph/tensor.js';
import { attachLoss } from '../../loss/loss-head.js';
import { makeLossBatch } from '../../loss/loss-batch.js';
import { LOSS_OUTPUTS } from '../../loss/loss-values.js';
import { openSession } from '../../runtime/session.js';
import { float32Tensor, float32Values } from '../../runtime/tensors.js';
import { insertNeuronGates } from './neuron-gates.js';
import { neuronStatistics } from './neuron-statistics.js';

describe('statistics of neurons', () => {
  it('tell how the loss moves with each neuron, as finite differences do', async () => {
    const decoder = await sampleDecoder();
    const batches = await sampleBatches(decoder, 'arithmetic', 0, 1, 2);
    const statistics = await neuronStatistics(decoder, batches, { runOptions: { threads: 1 } });
    const rows = batches.flatMap(({ source }) => source).map((row) => makeLossBatch(decoder, [row], 0));
    const tokens = rows.reduce((sum, { mask }) => sum + mask.length, 0);

    const { decoder: gated, gates } = insertNeuronGates(decoder);
    attachLoss(gated, ['loss']);
    const session = await openSession(gated.model, { threads: 1 });
    const lossWith = async (block: string, neuron: number, value: number) => {
      let loss = 0;
      for (const row of rows) {
        const feeds = Object.fromEntries(
          gates.map((gate) => {
            const values = new Float32Array(gate.width).fill(1);
            if (gate.block === block) values[neuron] = value;
            return [gate.name, float32Tensor(values, [gate.width])];
          }),
        );
        const results = await session.run({ ...row.feeds, ...feeds });
        loss += float32Values(results[LOSS_OUTPUTS.loss]!)[0]! * row.labels.length;
      }
      return loss / tokens;
    };
    for (const block of ['mlp 0', 'mlp 5', 'mlp 11'] as const) {
      const { taylor } = statistics.get(block)!;
      const neuron = taylor.reduce(
        (best, value, at) => (Math.abs(value) > Math.abs(taylor[best]!) ? at : best),
        0,
      );
      const slope = ((await lossWith(block, neuron, 1.02)) - (await lossWith(block, neuron, 0.98))) / 0.04;
      expect(taylor[neuron]! / slope, `neuron ${neuron} of ${block}`).toBeCloseTo(1, 1);
    }
    await session.release();
  });

  it('are found through weights of four bits, whose columns have the lengths that they are dequantised to', async () => {
    const model = quantiseProducts(buildDecoder(decoderStyles[0]!, { layers: 1 }), 'MatMulNBits 4');
    const decoder = readDecoder(model);
    const rows = [{ ids: [1, 5, 9, 3, 7, 2], responseStart: 2 }];
    const statistics = await neuronStatistics(decoder, [makeLossBatch(decoder, rows, 0)]);
    const { squares, fisher, norms } = statistics.get('mlp 0')!;
    expect(squares.every((value) => value > 0)).toBe(true);
    expect(fisher.every((value) => value >= 0) && fisher.some((value) => value > 0)).toBe(true);
    const plain = readDecoder(buildDecoder(decoderStyles[0]!, { layers: 1 }));
    const weight = plain.graph.initializer('model.layers.0.mlp.down_proj.weight')!;
    const values = tensorToFloat32(weight, undefined);
    const width = values.length / norms.length;
    norms.forEach((norm, neuron) => {
      const length = Math.hypot(...values.subarray(neuron * width, (neuron + 1) * width));
      expect(norm / length).toBeGreaterThan(0.8);
      expect(norm / length).toBeLessThan(1.25);
    });
  });
});
