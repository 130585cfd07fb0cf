/**
 * The operators that work element by element, as methods. Each adds one node and returns the name of its result; shapes
 * are broadcast (ONNX operator specification, of these operators).
 */
import type { DataType } from './data-types.js';
import { NodeWriter } from './node-writer.js';

/** A value's name, or a number that becomes a floating-point scalar. */
export type Operand = string | number;

export class ElementwiseOperators extends NodeWriter {
  add(a: Operand, b: Operand): string {
    return this.emit('Add', [this.operand(a), this.operand(b)]);
  }

  sub(a: Operand, b: Operand): string {
    return this.emit('Sub', [this.operand(a), this.operand(b)]);
  }

  mul(a: Operand, b: Operand): string {
    return this.emit('Mul', [this.operand(a), this.operand(b)]);
  }

  div(a: Operand, b: Operand): string {
    return this.emit('Div', [this.operand(a), this.operand(b)]);
  }

  pow(base: string, exponent: Operand): string {
    return this.emit('Pow', [base, this.operand(exponent)]);
  }

  max(a: Operand, b: Operand): string {
    return this.emit('Max', [this.operand(a), this.operand(b)]);
  }

  neg(x: string): string {
    return this.emit('Neg', [x]);
  }

  /** The value times a number; nothing is added for 1. */
  scale(x: string, factor: number): string {
    if (factor === 1) return x;
    return factor === -1 ? this.neg(x) : this.mul(x, factor);
  }

  exp(x: string): string {
    return this.emit('Exp', [x]);
  }

  log(x: string): string {
    return this.emit('Log', [x]);
  }

  sqrt(x: string): string {
    return this.emit('Sqrt', [x]);
  }

  reciprocal(x: string): string {
    return this.emit('Reciprocal', [x]);
  }

  erf(x: string): string {
    return this.emit('Erf', [x]);
  }

  tanh(x: string): string {
    return this.emit('Tanh', [x]);
  }

  sigmoid(x: string): string {
    return this.emit('Sigmoid', [x]);
  }

  relu(x: string): string {
    return this.emit('Relu', [x]);
  }

  sin(x: string): string {
    return this.emit('Sin', [x]);
  }

  cos(x: string): string {
    return this.emit('Cos', [x]);
  }

  sign(x: string): string {
    return this.emit('Sign', [x]);
  }

  /** Elements between the bounds; an undefined bound does not cut. */
  clip(x: string, low: Operand | undefined, high: Operand | undefined): string {
    return this.emit('Clip', [
      x,
      ...[low, high].map((bound) => (bound === undefined ? bound : this.operand(bound))),
    ]);
  }

  cast(x: string, to: DataType): string {
    return this.emit('Cast', [x], { to });
  }

  identity(x: string): string {
    return this.emit('Identity', [x]);
  }

  /** The bits of unsigned integers moved by a number of places. */
  bitShift(x: string, places: string, direction: 'LEFT' | 'RIGHT'): string {
    return this.emit('BitShift', [x, places], { direction });
  }

  // Comparisons and choices: booleans, and what they choose.

  equal(a: Operand, b: Operand): string {
    return this.emit('Equal', [this.operand(a), this.operand(b)]);
  }

  less(a: Operand, b: Operand): string {
    return this.emit('Less', [this.operand(a), this.operand(b)]);
  }

  greater(a: Operand, b: Operand): string {
    return this.emit('Greater', [this.operand(a), this.operand(b)]);
  }

  and(a: string, b: string): string {
    return this.emit('And', [a, b]);
  }

  or(a: string, b: string): string {
    return this.emit('Or', [a, b]);
  }

  where(condition: string, ifTrue: Operand, ifFalse: Operand): string {
    return this.emit('Where', [condition, this.operand(ifTrue), this.operand(ifFalse)]);
  }

  /** The name of an operand. */
  protected operand(value: Operand): string {
    return typeof value === 'number' ? this.scalar(value) : value;
  }
}
