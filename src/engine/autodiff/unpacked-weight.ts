/** The weight of a product with numbers of a few bits (com.microsoft.MatMulNBits), as a matrix of floats. */
import { intAttribute } from '../onnx/graph/attributes.js';
import { DataType } from '../onnx/graph/data-types.js';
import type { Operators } from '../onnx/graph/operators.js';
import type { NodeProto, TensorProto } from '../onnx/file/onnx_pb.js';
import { dequantisedRows } from './dequantised-rows.js';
import { unsupported } from './unsupported.js';

/**
 * @param node a MatMulNBits; its inputs are x, W as [N, blocks, bytes], scales, zero points, g_idx, bias
 * @param constant the tensor of a value that is the same in every run
 * @returns W [N, K]
 * @throws UserError if the weight is held in a form that is not known
 */
export function unpackedWeight(
  op: Operators,
  node: NodeProto,
  constant: (value: string) => TensorProto | undefined,
): string {
  const [, packed, scales, zeroPoints, order] = node.input as [string, string, string, string?, string?];
  if (order) throw unsupported(node, 'its weight has its columns in another order (g_idx)');
  const zeros = zeroPoints ? constant(zeroPoints) : undefined;
  if (zeroPoints && zeros?.dataType !== DataType.UINT8)
    throw unsupported(node, 'the zero points of its weight are not packed integers');
  const [inner, outer] = [intAttribute(node, 'K')!, intAttribute(node, 'N')!];
  const [bits, blockSize] = [intAttribute(node, 'bits', 4), intAttribute(node, 'block_size')!];
  const flat = (value: string) => op.reshape(value, [outer, -1]);
  const whole = dequantisedRows(op, outer, {
    packed: flat(packed),
    scales: flat(scales),
    zeroPoints: zeroPoints ? flat(zeroPoints) : undefined,
    bits,
    blockSize,
  });
  return inner % blockSize === 0 ? whole : op.slice(whole, [0], [inner], [1]);
}
