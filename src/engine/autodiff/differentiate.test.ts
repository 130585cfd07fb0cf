import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { DataType } from '../onnx/data-types.js';
import { Graph } from '../onnx/graph.js';
import { readModel } from '../onnx/model-file.js';
import { makeValueInfo } from '../onnx/value-info.js';
import { float64Tensor, int64Tensor } from '../runtime/tensors.js';
import { toDoublePrecision } from './testing/double-precision.js';
import { expectGradients, randomNumbers } from './testing/finite-differences.js';

const sample = fileURLToPath(new URL('../../../assets/sample/onnx/model.onnx', import.meta.url));

describe('the sample model', () => {
  /** Scales on what some layers add to the residual stream and on the stream itself, and a loss. */
  async function scaledSample(granularity: 'scalar' | 'channel' | 'rows') {
    const model = toDoublePrecision(await readModel(sample));
    const graph = new Graph(model.graph);
    const leaves: string[] = [];
    for (const layer of [0, 3, 11]) {
      for (const [index, operand] of ['stream', 'attention'].entries()) {
        const addition = graph.nodes.find((node) => node.name === `/model/layers.${layer}/Add`)!;
        const leaf = `scale.${layer}.${operand}`;
        graph.addInput(makeValueInfo(leaf, DataType.DOUBLE, [undefined, 1, undefined]));
        leaves.push(leaf);
        const [scaled] = graph.addNode('Mul', [leaf, addition.input[index]!]);
        graph.setInput(addition, index, scaled!);
      }
    }
    graph.addInput(makeValueInfo('weights', DataType.DOUBLE, [undefined, undefined, 676]));
    const [weighted] = graph.addNode('Mul', ['logits', 'weights']);
    graph.addNode('ReduceSum', [weighted!], { keepdims: 0 }, { outputs: ['loss'] });
    graph.sortNodes();

    const feeds = (rows: number, positions: number) => {
      const tokens = [rows, positions];
      const dims = [granularity === 'rows' ? rows : 1, 1, granularity === 'channel' ? 128 : 1];
      const size = dims[0]! * dims[2]!;
      return {
        input_ids: int64Tensor(
          randomNumbers(1, rows * positions).map((x) => Math.floor((x + 1) * 300)),
          tokens,
        ),
        attention_mask: int64Tensor(Array<number>(rows * positions).fill(1), tokens),
        position_ids: int64Tensor(
          Array.from({ length: rows * positions }, (_, index) => index % positions),
          tokens,
        ),
        ...Object.fromEntries(
          graph.inputs
            .filter((input) => input.name.startsWith('past'))
            .map((input) => [input.name, float64Tensor([], [rows, 2, 0, 32])]),
        ),
        weights: float64Tensor(randomNumbers(2, rows * positions * 676), [rows, positions, 676]),
        ...Object.fromEntries(
          leaves.map((leaf, index) => [
            leaf,
            float64Tensor(
              randomNumbers(index, size).map((x) => 1 + x / 4),
              dims,
            ),
          ]),
        ),
      };
    };
    return { model, loss: 'loss', leaves, feeds: feeds(2, 7), otherProbes: [feeds(3, 5)] };
  }

  it.each(['scalar', 'channel', 'rows'] as const)(
    'has the gradient of the finite differences by %s scales',
    async (granularity) => {
      await expectGradients({ ...(await scaledSample(granularity)), step: 1e-5, tolerance: 1e-7 });
    },
  );
});
