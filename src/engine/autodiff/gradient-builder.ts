/** Arithmetic on gradients as nodes of a graph: sums that undo broadcasting, products, zeros around parts. */
import { intsAttribute } from '../onnx/graph/attributes.js';
import type { Operand } from '../onnx/graph/elementwise.js';
import type { Graph } from '../onnx/graph/graph.js';
import { Operators } from '../onnx/graph/operators.js';
import { padShape, repeatedAxes, sameShape } from './broadcasting.js';
import { FLOAT_TYPES } from './float-types.js';
import type { Shape, ValueTypes } from './value-types.js';

/** A gradient that is zero but for the entries `updates`, put at `indices` along `axis` as ScatterElements does. */
export interface ScatteredGradient {
  indices: string;
  updates: string;
  axis: number;
}

/** A gradient that fills `size` places of an axis of `full` places, with zeros before and after. */
export interface PaddedSlice {
  source: string;
  axis: number;
  before: number;
  size: number;
  full: number;
}

/**
 * Arithmetic on gradients. Only forms of operators are added that mean the same in opsets 13 to 24.
 *
 * The gradient of a reduction is a small value repeated (an Expand). Where it meets a value of full size next, the
 * small value is used and the Expand stays without readers, which saves a pass over memory; the same holds for a
 * transposed matrix product. `differentiate` removes what is left without readers.
 */
export class GradientBuilder extends Operators {
  readonly #gradientShapes = new Map<string, Shape>();
  readonly #transposed = new Map<string, string>();
  readonly #expansions = new Map<string, { source: string; like: string }>();
  readonly #scattered = new Map<string, ScatteredGradient>();
  readonly #padded = new Map<string, PaddedSlice>();

  readonly #shapeNodes = new Map<string, string>();

  /** @param types of the values of the forward graph */
  constructor(
    graph: Graph,
    readonly types: ValueTypes,
  ) {
    super(graph, 'gradient');
  }

  /** Notes the shape of a finished gradient. */
  declareShape(gradient: string, shape: Shape): void {
    this.#gradientShapes.set(gradient, shape);
  }

  /** The shape of a value of the forward graph or of a finished gradient. */
  #knownShape(value: string): Shape | undefined {
    return this.types.get(value)?.shape ?? this.#gradientShapes.get(value);
  }

  /** @param gradient the factor that may be a repeated small value */
  override mul(gradient: Operand, factor: Operand): string {
    return this.#throughExpansion((a, b) => super.mul(a, b), gradient, factor);
  }

  /** @param gradient the dividend, which may be a repeated small value */
  override div(gradient: Operand, divisor: Operand): string {
    return this.#throughExpansion((a, b) => super.div(a, b), gradient, divisor);
  }

  override neg(value: string): string {
    const expansion = this.#expansions.get(value);
    if (expansion) return this.expandLike(this.neg(expansion.source), expansion.like);
    return super.neg(value);
  }

  #throughExpansion(
    operation: (a: Operand, b: Operand) => string,
    gradient: Operand,
    other: Operand,
  ): string {
    const expansion = typeof gradient === 'string' ? this.#expansions.get(gradient) : undefined;
    if (!expansion) return operation(gradient, other);
    const { source, like } = expansion;
    if (typeof other === 'number' || this.isScalar(other)) {
      return this.expandLike(operation(source, other), like);
    }
    const shape = this.#knownShape(other);
    const small = shape !== undefined && sameShape(shape, this.types.get(like)!.shape);
    return operation(small ? source : gradient, other);
  }

  /** The sum of gradients of one value, all of its shape. */
  sum(parts: readonly string[]): string {
    const gradients = this.#joinSlices(parts);
    const full = gradients.filter((gradient) => !this.#expansions.has(gradient));
    if (full.length === 0) return gradients.reduce((sum, gradient) => this.add(sum, gradient));
    const small = gradients.flatMap((gradient) => this.#expansions.get(gradient)?.source ?? []);
    return [...full, ...small].reduce((sum, gradient) => this.add(sum, gradient));
  }

  /** Gradients that each fill one slice of an axis, and all of it together, are put side by side instead of added. */
  #joinSlices(gradients: readonly string[]): readonly string[] {
    const slices = gradients
      .flatMap((gradient) => this.#padded.get(gradient) ?? [])
      .toSorted((a, b) => a.before - b.before);
    if (slices.length < 2) return gradients;
    const adjacent = slices.every(({ axis, before, size }, index) => {
      const next = slices[index + 1];
      if (axis !== slices[0]!.axis || (index === 0 && before !== 0)) return false;
      return next ? next.before === before + size : before + size === slices[0]!.full;
    });
    if (!adjacent) return gradients;
    const whole = this.concat(
      slices.map((slice) => slice.source),
      slices[0]!.axis,
    );
    return [whole, ...gradients.filter((gradient) => !this.#padded.has(gradient))];
  }

  /** Puts zeros before and after a gradient along one axis. */
  padSlice(slice: PaddedSlice, rank: number): string {
    const { source, axis, before, size, full } = slice;
    if (size === full) return source;
    const pads = Array.from({ length: 2 * rank }, () => 0);
    pads[axis] = before;
    pads[axis + rank] = full - size - before;
    const result = this.pad(source, pads, 0);
    this.#padded.set(result, slice);
    return result;
  }

  override transpose(value: string, perm: readonly number[]): string {
    if (perm.every((axis, index) => axis === index)) return value;
    return swapsLastTwo(perm) ? this.swapLastTwo(value, perm.length) : super.transpose(value, perm);
  }

  /**
   * The transposes of the matrices in the last two axes. A transpose of a transpose is left out, and (A^T B)^T becomes
   * B^T A, because onnxruntime computes products with transposed operands without moving anything.
   */
  swapLastTwo(value: string, rank: number): string {
    const known = this.#transposed.get(value) ?? this.#untransposed(value);
    if (known !== undefined) return known;
    const transposed = this.#transposedProduct(value, rank) ?? super.transpose(value, swapped(rank));
    this.#transposed.set(value, transposed);
    return transposed;
  }

  /** What the value is the transpose of, if a node says so. */
  #untransposed(value: string): string | undefined {
    const producer = this.graph.producer(value);
    if (producer?.opType !== 'Transpose') return undefined;
    const perm = intsAttribute(producer, 'perm');
    const rank = this.types.get(value)?.shape.length;
    return (perm ? swapsLastTwo(perm) : rank === 2) ? producer.input[0] : undefined;
  }

  #transposedProduct(value: string, rank: number): string | undefined {
    const producer = this.graph.producer(value);
    if (producer?.opType !== 'MatMul' || !this.added.has(producer)) return undefined;
    const [a, b] = producer.input as [string, string];
    const operand = [a, b].find((name) => this.#untransposed(name) !== undefined);
    // Operands of unequal rank are left alone: a matrix multiplies a batch faster from the right.
    const ranks = [a, b].map((name) => this.#knownShape(this.#untransposed(name) ?? name)?.length);
    if (operand === undefined || ranks.some((other) => other !== rank)) return undefined;
    return this.matMul(this.swapLastTwo(b, rank), this.swapLastTwo(a, rank));
  }

  /**
   * The elements in the shape of a value of the forward graph.
   * @param from a value of the forward graph that has the shape of these elements
   */
  reshapeLike(value: string, like: string, from?: string): string {
    const dims = this.#dimsLike(like, from);
    const isKnown = dims.filter((dim) => dim === -1).length < 2 && !this.types.get(like)!.shape.includes(0);
    return this.reshape(value, isKnown ? dims : this.shapeInput(like));
  }

  /** As Reshape takes them: 0 where both have the same at the same place, -1 where it is not known. */
  #dimsLike(like: string, from: string | undefined): number[] {
    const { shape, shapes } = this.types.get(like)!;
    const fromShapes = from === undefined ? undefined : this.types.get(from)!.shapes;
    const isSame = (axis: number) =>
      shapes !== undefined &&
      shapes.length > 1 &&
      shapes.every((dims, run) => dims[axis] === fromShapes?.[run]?.[axis]);
    return shape.map((dim, axis) => dim ?? (isSame(axis) ? 0 : -1));
  }

  /** Repeats a small value up to the shape of a value of the forward graph. */
  expandLike(value: string, like: string): string {
    const expanded = this.expand(value, this.shapeInput(like));
    this.#expansions.set(expanded, { source: value, like });
    return expanded;
  }

  zerosLike(value: string): string {
    return this.expandLike(this.scalar(0, FLOAT_TYPES[this.types.get(value)!.type]), value);
  }

  /** Sums over the axes along which a value of shape `to` was repeated to become one of shape `from`. */
  sumTo(gradient: string, from: Shape, to: Shape): string {
    const { leading, inner } = repeatedAxes(from, to);
    if (inner.length === 0 && leading.every((axis) => from[axis] === 1))
      return this.squeeze(gradient, leading);
    const summed = this.reduceSum(gradient, [...leading, ...inner], inner.length > 0);
    return inner.length > 0 ? this.squeeze(summed, leading) : summed;
  }

  /**
   * sumTo(a * b): the gradient by a factor that was repeated. Where everything is summed, or everything within a row,
   * it is a dot product, which a matrix product computes in one pass.
   * @param from the shape of both a and b
   */
  sumProductTo(a: string, b: string, from: Shape, to: Shape): string {
    const target = padShape(to, from.length);
    const kept = target.findLastIndex((dim) => dim !== 1) + 1;
    // Both as rows, the second one transposed: onnxruntime's products with a column are ten times slower.
    if (kept === 0 && from.length > 0) {
      const rows = [a, b].map((value) => this.reshape(value, [1, -1]));
      return this.reshape(
        this.gemm(rows[0]!, rows[1]!, { transB: true }),
        to.map(() => 1),
      );
    }
    if (kept === 1 && from.length > 1) {
      const [left, right] = [a, b].map((value) => this.reshape(value, [0, 1, -1]));
      const dots = this.matMul(left!, super.transpose(right!, [0, 2, 1]));
      if (from.length === 3) return dots;
      return this.reshape(
        dots,
        target.map((_, axis) => (axis === 0 ? 0 : 1)),
      );
    }
    return this.sumTo(this.mul(a, b), from, to);
  }

  /** Puts entries into zeros of the shape of `like`; no two may have the same place. */
  scatter(entries: ScatteredGradient, like: string): string {
    const { indices, updates, axis } = entries;
    const result = this.scatterElements(this.zerosLike(like), indices, updates, axis);
    this.#scattered.set(result, entries);
    return result;
  }

  /** The shape of a value at run time, int64 [rank]. */
  shapeOf(value: string): string {
    let shape = this.#shapeNodes.get(value);
    if (shape === undefined) this.#shapeNodes.set(value, (shape = this.shape(value)));
    return shape;
  }

  /** The shape of a value of the forward graph, as a constant where it is the same in every run. */
  shapeInput(value: string): string {
    const { shape } = this.types.get(value)!;
    return shape.every((dim) => dim !== undefined) ? this.integers(shape) : this.shapeOf(value);
  }

  /** One dimension of a value at run time, int64 [1]. */
  dimOf(value: string, axis: number): string {
    const known = this.types.get(value)?.shape[axis];
    return known === undefined ? this.gather(this.shapeOf(value), [axis], 0) : this.integers([known]);
  }

  /** The number of elements of a value at run time, as a floating-point scalar. */
  countOf(value: string): string {
    return this.cast(this.size(value), this.floatType);
  }

  /** @param elementType onnxruntime's name of a floating-point type */
  castTo(value: string, elementType: string): string {
    return this.cast(value, FLOAT_TYPES[elementType]!);
  }

  /** How a gradient was put together by `scatter`, if it was. */
  scattered(gradient: string): ScatteredGradient | undefined {
    return this.#scattered.get(gradient);
  }
}

function swapped(rank: number): number[] {
  return [...Array.from({ length: rank - 2 }, (_, axis) => axis), rank - 1, rank - 2];
}

function swapsLastTwo(perm: readonly number[]): boolean {
  return perm.length >= 2 && swapped(perm.length).every((axis, index) => axis === perm[index]);
}
