/**
 * Products of quantised numbers, differentiated straight through: the activations stay floats, as if quantising them
 * changed nothing (arXiv 1308.3432), and the weight is dequantised by the graph, so it takes four bytes an element
 * while a step runs.
 * - DynamicQuantizeLinear: x becomes itself with scale 1.
 * - MatMulInteger: a (b - zero point) (ONNX operator specification).
 * - MatMulIntegerToFloat, DynamicQuantizeMatMul: the same with scales and bias (onnxruntime's contributed operators).
 * - DequantizeLinear of what QuantizeLinear made of an activation: the activation.
 */
import type { Lowering, LoweringContext } from './lowering.js';

export const dynamicQuantizeLinear: Lowering = {
  operator: 'DynamicQuantizeLinear',
  domain: '',
  lower: ({ input, op }) => [input(0)!, op.scalar(1), op.scalar(0)],
};

export const matMulInteger: Lowering = {
  operator: 'MatMulInteger',
  domain: '',
  lower(context) {
    const { input, op, shape } = context;
    const zeroPoint = input(3);
    const channels = zeroPoint && shape(zeroPoint).length === 1 ? shape(zeroPoint)[0]! : 1;
    // Scales have the shape of the zero points.
    const ones = Array.from({ length: channels }, () => 1);
    const scale = channels === 1 ? op.scalar(1) : op.floats(ones);
    return [op.matMul(activation(context), op.dequantizeLinear(input(1)!, scale, zeroPoint, 1))];
  },
};

export const matMulIntegerToFloat: Lowering = {
  operator: 'MatMulIntegerToFloat',
  lower(context) {
    const { input, op } = context;
    const weight = op.dequantizeLinear(input(1)!, input(3)!, input(5), 1);
    const scaled = op.mul(op.matMul(activation(context), weight), input(2)!);
    return [plusBias(context, scaled, input(6))];
  },
};

export const dynamicQuantizeMatMul: Lowering = {
  operator: 'DynamicQuantizeMatMul',
  lower(context) {
    const { input, op } = context;
    const weight = op.dequantizeLinear(input(1)!, input(2)!, input(3), 1);
    return [plusBias(context, op.matMul(input(0)!, weight), input(4))];
  },
};

export const dequantizeLinear: Lowering = {
  operator: 'DequantizeLinear',
  domain: '',
  lower({ input, producer, constant }) {
    const quantise = producer(input(0)!);
    if (quantise?.opType !== 'QuantizeLinear' || constant(quantise.input[0]!)) return undefined;
    return [quantise.input[0]!];
  },
};

/** The first operand, which is a float where DynamicQuantizeLinear made it. */
function activation(context: LoweringContext): string {
  const value = context.input(0)!;
  if (!context.isFloat(value)) context.refuse('its first operand does not come from DynamicQuantizeLinear');
  return value;
}

function plusBias({ op }: LoweringContext, product: string, bias: string | undefined): string {
  return bias ? op.add(product, bias) : product;
}
