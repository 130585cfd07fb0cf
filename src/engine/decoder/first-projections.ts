/** The products with weights that a branch begins with, where it reads the residual stream without a norm. */
import type { NodeProto } from '../onnx/onnx_pb.js';
import { isRenaming, type DataFlow } from './data-flow.js';
import type { Projection } from './decoder.js';
import { asProjection } from './projection-operators.js';

/** Operators that arrange elements anew, as before a Gemm. */
const ARRANGING_OPERATORS = new Set(['Reshape', 'Flatten', 'Unsqueeze', 'Squeeze']);

/**
 * @param stream the value of the residual stream
 * @param region the branch's nodes
 * @returns undefined if something else than a product with a weight reads the stream
 */
export function findFirstProjections(
  flow: DataFlow,
  stream: string,
  region: ReadonlySet<NodeProto>,
): Projection[] | undefined {
  const found: Projection[] = [];
  const queue = [stream];
  for (let value = queue.pop(); value !== undefined; value = queue.pop()) {
    for (const node of flow.readers(value).filter((reader) => region.has(reader))) {
      if (isRenaming(node) || ARRANGING_OPERATORS.has(node.opType)) {
        queue.push(node.output[0]!);
        continue;
      }
      const projection = node.input[0] === value ? asProjection(flow, node) : undefined;
      if (!projection) return undefined;
      found.push(projection);
    }
  }
  return found;
}
