/**
 * RotaryEmbedding: x [rows, positions, heads * size] or [rows, heads, positions, size].
 * - com.microsoft: x, position ids ([1]: the first position; or [rows, positions]), cos and sin cache (onnxruntime's
 *   contributed operators).
 * - Standard, since opset 23: x, cos and sin cache, position ids; without these the caches are [rows, positions, half]
 *   (ONNX operator specification, RotaryEmbedding).
 */
import { floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { Lowering, LoweringContext } from './lowering.js';
import { countPositions, rotate } from './rotation.js';

export const rotaryEmbedding: Lowering = {
  operator: 'RotaryEmbedding',
  lower(context) {
    const { node, input } = context;
    if (intAttribute(node, 'is_packed_batching', 0) !== 0) context.refuse('its rows are packed');
    if (floatAttribute(node, 'scale', 1) !== 1) context.refuse('it scales');
    return [turned(context, { cos: input(2)!, sin: input(3)!, positionIds: input(1) })];
  },
};

export const standardRotaryEmbedding: Lowering = {
  operator: 'RotaryEmbedding',
  domain: '',
  lower(context) {
    const { input } = context;
    return [turned(context, { cos: input(1)!, sin: input(2)!, positionIds: input(3) })];
  },
};

interface Caches {
  cos: string;
  sin: string;
  positionIds: string | undefined;
}

function turned(context: LoweringContext, caches: Caches): string {
  const { node, input, op, shape, fixedDim } = context;
  const x = input(0)!;
  const isFlat = shape(x).length === 3;
  const given = intAttribute(node, 'rotary_embedding_dim', 0);
  const rotated = given || 2 * fixedDim(caches.cos, shape(caches.cos).length - 1);
  const heads = intAttribute(node, 'num_heads', 0);
  const flatSize = () => (heads > 0 ? fixedDim(x, 2) / heads : rotated);
  const headSize = isFlat ? flatSize() : fixedDim(x, 3);
  const split = isFlat ? op.reshape(x, [0, 0, -1, headSize]) : x;
  const [cos, sin] = [caches.cos, caches.sin].map((cache) => {
    const rows = rowsOf(context, cache, caches.positionIds, x, isFlat ? 1 : 2);
    // A heads axis of one: behind the positions, or before them.
    return op.unsqueeze(rows, [isFlat ? 2 : 1]);
  });
  const interleaved = intAttribute(node, 'interleaved', 0) !== 0;
  const result = rotate(context, split, { cos: cos!, sin: sin!, rotated, headSize, interleaved });
  return isFlat ? op.reshape(result, [0, 0, fixedDim(x, 2)]) : result;
}

/** [rows or 1, positions, half]. */
function rowsOf(
  context: LoweringContext,
  cache: string,
  positionIds: string | undefined,
  x: string,
  positionAxis: number,
): string {
  const { op, shape, shared } = context;
  if (positionIds === undefined) return cache;
  return shared(`rotary rows of ${cache} at ${positionIds}`, () => {
    if (shape(positionIds).length === 2) return op.gather(cache, positionIds, 0);
    const positions = op.add(countPositions(context, x, positionAxis), positionIds);
    return op.gather(cache, op.reshape(positions, [1, -1]), 0);
  });
}
