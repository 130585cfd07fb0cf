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
  lower: ({ input, write }) => [input(0)!, write.scalar(1), write.scalar(0)],
};

export const matMulInteger: Lowering = {
  operator: 'MatMulInteger',
  domain: '',
  lower(context) {
    const { input, write, shape } = context;
    const zeroPoint = input(3);
    const channels = zeroPoint && shape(zeroPoint).length === 1 ? shape(zeroPoint)[0]! : 1;
    // Scales have the shape of the zero points.
    const ones = Array.from({ length: channels }, () => 1);
    const scale = channels === 1 ? write.scalar(1) : write.floats(ones, 'float32');
    const dequantised = weight(context, input(1)!, scale, zeroPoint);
    return [write.emit('MatMul', [activation(context), dequantised])];
  },
};

export const matMulIntegerToFloat: Lowering = {
  operator: 'MatMulIntegerToFloat',
  lower(context) {
    const { input, write } = context;
    const product = write.emit('MatMul', [
      activation(context),
      weight(context, input(1)!, input(3)!, input(5)),
    ]);
    return [plusBias(context, write.emit('Mul', [product, input(2)!]), input(6))];
  },
};

export const dynamicQuantizeMatMul: Lowering = {
  operator: 'DynamicQuantizeMatMul',
  lower(context) {
    const { input, write } = context;
    const product = write.emit('MatMul', [input(0)!, weight(context, input(1)!, input(2)!, input(3))]);
    return [plusBias(context, product, input(4))];
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

function weight({ write }: LoweringContext, values: string, scale: string, zeroPoint: string | undefined) {
  return write.emit('DequantizeLinear', [values, scale, ...(zeroPoint ? [zeroPoint] : [])], { axis: 1 });
}

function plusBias({ write }: LoweringContext, product: string, bias: string | undefined): string {
  return bias ? write.emit('Add', [product, bias]) : product;
}
