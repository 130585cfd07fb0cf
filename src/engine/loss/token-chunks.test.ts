/** The head of a large vocabulary: no value as wide as that is made for all positions at once. */
import { expect, it } from 'vitest';
import { DataType } from '../onnx/graph/data-types.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { create } from '@bufbuild/protobuf';
import { GraphProtoSchema } from '../onnx/file/onnx_pb.js';
import type { SegmentRunner } from '../runtime/segment-session.js';
import { float32Tensor, float32Values, int64Tensor } from '../runtime/tensors.js';
import { LOSS_INPUTS, LOSS_OUTPUTS } from './loss-values.js';
import { TokenChunks } from './token-chunks.js';

const VOCABULARY = 262_144;
const LARGEST_BYTES = 256e6;
const TOKENS = 1000;

it('a vocabulary of 262,144 tokens makes no value above 256 MB; sums are added up, and results a token joined', async () => {
  const graph = create(GraphProtoSchema, {
    input: [
      makeValueInfo(LOSS_INPUTS.positions, DataType.INT64, ['loss_tokens']),
      makeValueInfo(LOSS_INPUTS.weights, DataType.FLOAT, ['loss_tokens']),
    ],
    output: [
      makeValueInfo(LOSS_OUTPUTS.loss, DataType.FLOAT, []),
      makeValueInfo(LOSS_OUTPUTS.tokenLosses, DataType.FLOAT, [1, 'loss_tokens', 1]),
    ],
  });
  const chunks: number[] = [];
  const session: SegmentRunner = {
    async run(feeds) {
      const weights = float32Values(feeds[LOSS_INPUTS.weights]!);
      chunks.push(weights.length);
      return {
        [LOSS_OUTPUTS.loss]: float32Tensor([weights.reduce((sum, weight) => sum + weight, 0)], []),
        [LOSS_OUTPUTS.tokenLosses]: float32Tensor(Float32Array.from(weights), [1, weights.length, 1]),
      };
    },
    async unload() {},
  };
  const numbers = Array.from({ length: TOKENS }, (_, token) => token);
  const results = await new TokenChunks(session, graph, VOCABULARY).run({
    [LOSS_INPUTS.positions]: int64Tensor(numbers, [TOKENS]),
    [LOSS_INPUTS.weights]: float32Tensor(numbers, [TOKENS]),
  });
  expect(Math.max(...chunks) * VOCABULARY * Float32Array.BYTES_PER_ELEMENT).toBeLessThan(LARGEST_BYTES);
  expect(float32Values(results[LOSS_OUTPUTS.loss]!)[0]).toBe((TOKENS * (TOKENS - 1)) / 2);
  expect(results[LOSS_OUTPUTS.tokenLosses]!.dims).toEqual([1, TOKENS, 1]);
  expect([...float32Values(results[LOSS_OUTPUTS.tokenLosses]!)]).toEqual(numbers);
});
