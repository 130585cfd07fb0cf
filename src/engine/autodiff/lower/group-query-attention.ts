/**
 * com.microsoft.GroupQueryAttention: causal attention with fewer heads of keys and values than of queries; rotary
 * positions inside, if asked for. Inputs: query [rows, positions, heads * size] (or query,
 * key and value side by side), key, value, past key and value, seqlens_k, total length, cos and sin cache, position ids,
 * bias of the scores, head sinks, scales of a quantised cache, norm gains (onnxruntime's contributed operators).
 */
import { floatAttribute, intAttribute } from '../../onnx/graph/attributes.js';
import type { Lowering, LoweringContext } from './lowering.js';
import { countPositions, rotate, type Rotation } from './rotation.js';
import { causalMask, mergeHeads, scaledDotProduct, scaleOfScores, splitHeads } from './scaled-dot-product.js';

export const groupQueryAttention: Lowering = {
  operator: 'GroupQueryAttention',
  lower(context) {
    const { node, input, op } = context;
    const heads = intAttribute(node, 'num_heads', 1);
    const kvHeads = intAttribute(node, 'kv_num_heads', heads);
    if (input(12) ?? input(13)) context.refuse('its key-value cache is quantised');
    if (input(14) ?? input(15)) context.refuse('it norms queries and keys');
    if (node.output[3]) context.refuse('it gives out its scores');
    const headSize = sizeOfHeads(context, heads, kvHeads);
    const split = projections(context, heads, kvHeads, headSize);
    const rotation = rotationOf(context, split.query, headSize);
    const turn = (value: string) => (rotation ? rotate(context, value, rotation) : value);
    const query = turn(split.query);
    const key = turn(split.key);
    const window = intAttribute(node, 'local_window_size', -1);
    const isCausal = intAttribute(node, 'causal', 1) !== 0;
    const bias = input(10);
    const mixed = scaledDotProduct(context, {
      query,
      key,
      value: split.value,
      heads,
      kvHeads,
      headSize,
      valueSize: headSize,
      scale: scaleOfScores(context, headSize),
      softcap: floatAttribute(node, 'softcap', 0),
      masks: [
        ...(isCausal ? [causalMask(context, query, key, window > 0 ? window : undefined)] : []),
        ...(bias ? [bias] : []),
      ],
      sink: input(11) ?? (intAttribute(node, 'smooth_softmax', 0) === 1 ? zeros(context, heads) : undefined),
    });
    return [mergeHeads(context, mixed, heads * headSize), key, split.value].map((value) =>
      op.identity(value),
    );
  },
};

function sizeOfHeads({ input, fixedDim }: LoweringContext, heads: number, kvHeads: number): number {
  const width = fixedDim(input(0)!, 2);
  return input(1) === undefined ? width / (heads + 2 * kvHeads) : width / heads;
}

/** Query, key and value, each [rows, heads, positions, head size]. */
function projections(context: LoweringContext, heads: number, kvHeads: number, headSize: number) {
  const { input, op } = context;
  let [query, key, value] = [input(0)!, input(1), input(2)];
  if (key === undefined || value === undefined) {
    const sizes = [heads, kvHeads, kvHeads].map((count) => count * headSize);
    [query, key, value] = op.split(query, sizes, -1) as [string, string, string];
  }
  return {
    query: splitHeads(context, query, heads, headSize),
    key: splitHeads(context, key, kvHeads, headSize),
    value: splitHeads(context, value, kvHeads, headSize),
  };
}

/** Positions count from the first position id, or from 0. */
function rotationOf(context: LoweringContext, query: string, headSize: number): Rotation | undefined {
  const { node, input, op, fixedDim, shared } = context;
  if (intAttribute(node, 'do_rotary', 0) === 0) return undefined;
  const [cosCache, sinCache, positionIds] = [input(7)!, input(8)!, input(9)];
  const rows = (cache: string) =>
    shared(`rotary rows of ${cache} at ${positionIds ?? 'the beginning'}`, () => {
      const count = countPositions(context, query, 2);
      const first = positionIds && op.slice(op.reshape(positionIds, [-1]), [0], [1], [0]);
      return op.gather(cache, first ? op.add(count, first) : count, 0);
    });
  return {
    cos: rows(cosCache),
    sin: rows(sinCache),
    rotated: 2 * fixedDim(cosCache, 1),
    headSize,
    interleaved: intAttribute(node, 'rotary_interleaved', 0) !== 0,
  };
}

function zeros({ op }: LoweringContext, count: number): string {
  return op.floats(Array.from({ length: count }, () => 0));
}
