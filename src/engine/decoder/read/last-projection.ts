/** The matrix multiplication by a weight that a value comes from: a block's last one, or the output head's. */
import { UserError } from '../../../schema/errors.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { isRenaming, type DataFlow } from './data-flow.js';
import type { Projection, Use } from '../decoder.js';
import { asProjection } from './projection-operators.js';
import { EXPORT_ADVICE } from './unsupported.js';

/** Operators behind which the projection may stand: they move elements, but mix none. */
const MOVING_OPERATORS = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Slice', 'Gather', 'Flatten']);

/** Other ways to store a quantised weight, or a result. */
const QUANTISED_OPERATORS = new Set([
  'MatMulNBits',
  'MatMulBnb4',
  'MatMulInteger',
  'QLinearMatMul',
  'DequantizeLinear',
]);

/**
 * Walks back from a value through biases, factors and rearrangements to the product with a weight.
 * @param region the nodes that depend on the residual stream: others may be added or multiplied on the way
 * @param purpose what the projection is for, named in errors: 'attention 3'
 * @param tolerated further element-wise operators that may stand between
 * @throws UserError if something else is met first
 */
export function findLastProjection(
  flow: DataFlow,
  output: string,
  region: ReadonlySet<NodeProto>,
  purpose: string,
  tolerated: ReadonlySet<string> = new Set(),
): Projection {
  let value = output;
  let biasUse: Use | undefined;
  let isRounded = false;
  for (;;) {
    const node = flow.graph.producer(value);
    if (!node) throw notFound(purpose, `the value '${value}'`);
    const rounded = beforeRounding(flow, node);
    if (rounded !== undefined) {
      value = rounded;
      isRounded = true;
      continue;
    }
    const projection = asProjection(flow, node);
    if (projection && !(biasUse && projection.bias !== undefined)) {
      const found = isRounded ? { ...projection, isRounded } : projection;
      return biasUse ? { ...found, bias: biasUse.node.input[biasUse.index]!, biasUse } : found;
    }
    const passesOn = isRenaming(node) || MOVING_OPERATORS.has(node.opType) || tolerated.has(node.opType);
    const side = passesOn ? undefined : independentOperand(flow, node, region, biasUse !== undefined);
    if (side !== undefined && node.opType === 'Add') biasUse = { node, index: side };
    if (passesOn) value = node.input[0]!;
    else if (side !== undefined) value = node.input[1 - side]!;
    else throw refusal(flow, node, region, purpose);
  }
}

/** The activation that a QuantizeLinear and this DequantizeLinear round. */
function beforeRounding(flow: DataFlow, node: NodeProto): string | undefined {
  if (node.opType !== 'DequantizeLinear') return undefined;
  const quantise = flow.graph.producer(node.input[0]!);
  if (quantise?.opType !== 'QuantizeLinear' || flow.isConstant(quantise.input[0]!)) return undefined;
  return quantise.input[0];
}

/**
 * Which operand of an Add is a constant bias (one at most), or of a Mul or Div a factor that does not depend on the
 * region. What else is added would not be scaled with the projection.
 */
function independentOperand(
  flow: DataFlow,
  node: NodeProto,
  region: ReadonlySet<NodeProto>,
  hasBias: boolean,
): number | undefined {
  if (node.opType === 'Add') {
    const index = node.input.findIndex((name) => flow.isConstant(name));
    return index < 0 || hasBias ? undefined : index;
  }
  if (node.opType !== 'Mul' && node.opType !== 'Div') return undefined;
  const [first, second] = node.input.map((name) => {
    const producer = flow.graph.producer(name);
    return !producer || !region.has(producer);
  });
  if (second && !first) return 1;
  return first && !second && node.opType === 'Mul' ? 0 : undefined;
}

function refusal(
  flow: DataFlow,
  node: NodeProto,
  region: ReadonlySet<NodeProto>,
  purpose: string,
): UserError {
  if (endsNorm(flow, node, region)) {
    return new UserError(
      `The result of ${purpose} is normalised before it is added to the residual stream (the ${describeNode(node)}), without a gain that the scales could go into; such a model is not supported.`,
    );
  }
  const quantised = [node, ...node.input.map((name) => flow.graph.producer(flow.origin(name)))].find(
    (candidate) => candidate !== undefined && QUANTISED_OPERATORS.has(candidate.opType),
  );
  if (quantised) {
    return new UserError(
      `The weights of ${purpose} are quantised in a way that is not supported yet (found the ${describeNode(quantised)}); use the model's float32 or float16 file.`,
    );
  }
  return notFound(purpose, `the ${describeNode(node)}`);
}

/** A norm operator, or the product of a value and of one over a root. */
function endsNorm(flow: DataFlow, node: NodeProto, region: ReadonlySet<NodeProto>): boolean {
  if (node.opType.endsWith('Normalization')) return true;
  if (node.opType !== 'Mul' && node.opType !== 'Div') return false;
  return node.input
    .map((name) => flow.graph.producer(flow.origin(name)))
    .some(
      (factor) =>
        factor !== undefined &&
        region.has(factor) &&
        ['Sqrt', 'Reciprocal', 'Div', 'Pow'].includes(factor.opType),
    );
}

function notFound(purpose: string, where: string): UserError {
  return new UserError(
    `The result of ${purpose} should come from a MatMul or Gemm with a weight that is stored in the file, but ${where} was found in its place; ${EXPORT_ADVICE}.`,
  );
}
