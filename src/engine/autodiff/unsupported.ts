/** The error for a node whose gradient is out of reach. */
import { UserError } from '../../schema/errors.js';
import { describeNode } from '../onnx/graph/node.js';
import type { NodeProto } from '../onnx/file/onnx_pb.js';

/** @param reason continues 'Hopscotch cannot differentiate the X node "Y": ' and has no full stop */
export function unsupported(node: NodeProto, reason: string): UserError {
  return new UserError(`Hopscotch cannot differentiate the ${describeNode(node)}: ${reason}.`);
}
