/** Activations between the two products of an expert. */
import type { NodeWriter } from '../node-writer.js';

export function silu(write: NodeWriter, x: string, alpha = 1): string {
  const inner = alpha === 1 ? x : write.emit('Mul', [x, write.scalar(alpha)]);
  return write.emit('Mul', [x, write.emit('Sigmoid', [inner])]);
}

/** x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. */
export function geluTanh(write: NodeWriter, x: string): string {
  const cube = write.emit('Mul', [write.emit('Mul', [x, x]), x]);
  const inner = write.emit('Add', [x, write.emit('Mul', [cube, write.scalar(0.044715)])]);
  const tanh = write.emit('Tanh', [write.emit('Mul', [inner, write.scalar(Math.sqrt(2 / Math.PI))])]);
  const half = write.emit('Mul', [x, write.scalar(0.5)]);
  return write.emit('Mul', [half, write.emit('Add', [tanh, write.scalar(1)])]);
}

export interface SwiGlu {
  alpha: number;
  beta: number;
  /** Gates are cut above it, values above it and below its opposite. */
  limit: number;
}

/** Of x = [gate, value, gate, value...]: gate * sigmoid(alpha gate) * (value + beta). */
export function swiGlu(write: NodeWriter, x: string, { alpha, beta, limit }: SwiGlu): string {
  const everySecond = (from: number) =>
    write.emit('Slice', [
      x,
      write.integers([from]),
      write.integers([Number.MAX_SAFE_INTEGER]),
      write.integers([-1]),
      write.integers([2]),
    ]);
  const cut = (value: string, lowest: string) =>
    Number.isFinite(limit) ? write.emit('Clip', [value, lowest, write.scalar(limit)]) : value;
  const gate = cut(everySecond(0), '');
  const value = cut(everySecond(1), write.scalar(-limit));
  const shifted = beta === 0 ? value : write.emit('Add', [value, write.scalar(beta)]);
  return write.emit('Mul', [silu(write, gate, alpha), shifted]);
}
