/** Activations between the two products of an expert. */
import type { Operators } from '../../onnx/graph/operators.js';

/** x * sigmoid(alpha * x). */
export function silu(op: Operators, x: string, alpha = 1): string {
  return op.mul(x, op.sigmoid(op.scale(x, alpha)));
}

/** x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2. */
export function geluTanh(op: Operators, x: string): string {
  const cube = op.mul(op.mul(x, x), x);
  const tanh = op.tanh(op.mul(op.add(x, op.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI)));
  return op.mul(op.mul(x, 0.5), op.add(tanh, 1));
}

export interface SwiGlu {
  alpha: number;
  beta: number;
  /** Gates are cut above it, values above it and below its opposite. */
  limit: number;
}

/** gate * sigmoid(alpha * gate) * (value + beta), of x = [gate, value, gate, value...]. */
export function swiGlu(op: Operators, x: string, { alpha, beta, limit }: SwiGlu): string {
  const everySecond = (from: number) => op.slice(x, [from], [Number.MAX_SAFE_INTEGER], [-1], [2]);
  const cut = (value: string, lowest: number | undefined) =>
    Number.isFinite(limit) ? op.clip(value, lowest, limit) : value;
  const gate = cut(everySecond(0), undefined);
  const value = cut(everySecond(1), -limit);
  return op.mul(silu(op, gate, alpha), beta === 0 ? value : op.add(value, beta));
}
