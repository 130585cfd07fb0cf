/** Where a model drops all positions but the last, since generation needs no other logits. */
import { intAttribute } from '../../onnx/graph/attributes.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { tensorToIntegers } from '../../onnx/graph/tensor.js';
import type { PositionCut } from '../decoder.js';
import type { DataFlow } from './data-flow.js';

/** Operators that bring what was cut out back to [rows, positions, channels]. */
const ARRANGING_OPERATORS = new Set(['Unsqueeze', 'Squeeze', 'Reshape', 'Identity', 'Slice', 'Gather']);

/** A slice that ends here or later goes to the end. */
const FAR = 2 ** 30;

/**
 * @param value [rows, positions, channels], of which the head or its norm is made
 * @param folder the model's, for constants in external files
 * @returns undefined if all positions go on; `isConstant` is false where an input says how many do
 */
export function findPositionCut(
  flow: DataFlow,
  value: string,
  folder: string | undefined,
): (PositionCut & { isConstant: boolean }) | undefined {
  const [node, ...more] = flow.readers(value);
  if (!node || more.length > 0 || node.input[0] !== value || !takesPositions(flow, node, folder))
    return undefined;
  let output = node.output[0]!;
  for (;;) {
    const [reader, ...others] = flow.readers(output);
    if (!reader || others.length > 0 || !ARRANGING_OPERATORS.has(reader.opType) || reader.input[0] !== output)
      break;
    output = reader.output[0]!;
  }
  return { input: value, output, isConstant: node.input.slice(1).every((name) => flow.isConstant(name)) };
}

function takesPositions(flow: DataFlow, node: NodeProto, folder: string | undefined): boolean {
  const constant = (index: number) => {
    const tensor = flow.graph.constant(node.input[index] ?? '');
    return tensor && tensorToIntegers(tensor, folder);
  };
  if (node.opType === 'Gather') return [1, -2].includes(intAttribute(node, 'axis', 0));
  if (node.opType !== 'Slice') return false;
  // Inputs: data, starts, ends, axes, steps (ONNX operator specification).
  const axes = constant(3);
  const place = axes ? axes.findIndex((axis) => axis === 1 || axis === -2) : 1;
  const [start, end] = [constant(1)?.[place], constant(2)?.[place]];
  return place >= 0 && !(start === 0 && end !== undefined && end >= FAR);
}
