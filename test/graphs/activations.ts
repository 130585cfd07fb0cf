/** The activations between the products of an MLP, spelled out. */
import type { GraphWriter } from './graph-writer.js';

export function silu(writer: GraphWriter, x: string): string {
  return writer.op('Mul', [x, writer.op('Sigmoid', [x])]);
}

/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), as GPT-2's 'gelu_new' is exported. */
export function geluTanh(writer: GraphWriter, x: string): string {
  const half = writer.op('Mul', [x, writer.float(0.5)]);
  const cube = writer.op('Mul', [writer.op('Pow', [x, writer.float(3)]), writer.float(0.044715)]);
  const inner = writer.op('Mul', [writer.op('Add', [x, cube]), writer.float(Math.sqrt(2 / Math.PI))]);
  return writer.op('Mul', [half, writer.op('Add', [writer.op('Tanh', [inner]), writer.float(1)])]);
}

/** x (1 + erf(x / sqrt(2))) / 2. */
export function geluErf(writer: GraphWriter, x: string): string {
  const erf = writer.op('Erf', [writer.op('Div', [x, writer.float(Math.SQRT2)])]);
  const product = writer.op('Mul', [x, writer.op('Add', [erf, writer.float(1)])]);
  return writer.op('Mul', [product, writer.float(0.5)]);
}

export function relu(writer: GraphWriter, x: string): string {
  return writer.op('Relu', [x]);
}
