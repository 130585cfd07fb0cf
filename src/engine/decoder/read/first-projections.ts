/** The products with weights that a block begins with, where it reads the residual stream without a norm. */
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { walk } from '../../onnx/graph/walk.js';
import { isRenaming, type DataFlow } from './data-flow.js';
import type { FirstProjection } from '../decoder.js';
import { asProjection } from './projection-operators.js';

/** Operators that arrange elements anew, as before a Gemm. */
const ARRANGING_OPERATORS = new Set(['Reshape', 'Flatten', 'Unsqueeze', 'Squeeze']);

interface Place {
  value: string;
  rounding?: readonly NodeProto[];
}

/**
 * @param stream the value of the residual stream
 * @param region the block's nodes
 * @returns undefined if something else than a product with a weight reads the stream
 */
export function findFirstProjections(
  flow: DataFlow,
  stream: string,
  region: ReadonlySet<NodeProto>,
): FirstProjection[] | undefined {
  const found: FirstProjection[] = [];
  const readersAt = (place: Place) => flow.readers(place.value).filter((node) => region.has(node));
  const start: Place = { value: stream };
  const places = walk([start], (place) => readersAt(place).flatMap((node) => behind(node, place) ?? []));
  for (const place of places) {
    for (const node of readersAt(place)) {
      if (behind(node, place)) continue;
      const projection = node.input[0] === place.value ? productOf(flow, node) : undefined;
      if (!projection) return undefined;
      found.push({ ...projection, rounding: place.rounding });
    }
  }
  return found;
}

/** Where the stream goes on behind a node that casts, arranges or rounds it. */
function behind(node: NodeProto, { value, rounding }: Place): Place | undefined {
  const output = node.output[0]!;
  if (node.input[0] !== value) return undefined;
  switch (node.opType) {
    // Its steps grow with what it rounds: a stream that is smaller by a factor is rounded to the same integers.
    case 'DynamicQuantizeLinear':
      return { value: output };
    case 'QuantizeLinear':
      return { value: output, rounding: [node] };
    case 'DequantizeLinear':
      return rounding && { value: output, rounding: [...rounding, node] };
    default:
      if (!isRenaming(node) && !ARRANGING_OPERATORS.has(node.opType)) return undefined;
      return { value: output, rounding };
  }
}

/** A product with a weight; one of integers ends where these are scaled. */
function productOf(flow: DataFlow, node: NodeProto): FirstProjection | undefined {
  if (node.opType !== 'MatMulInteger') return asProjection(flow, node);
  const [end, ...more] = flow.usesThroughCasts(node.output[0]!);
  return end && more.length === 0 ? asProjection(flow, end.node) : undefined;
}
