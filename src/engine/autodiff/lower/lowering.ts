/** The contract of a lowering: how a fused operator is made of operators that have gradient rules. */
import type { NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import type { Shape } from '../value-types.js';
import type { Operators } from '../../onnx/graph/operators.js';

export interface LoweringContext {
  node: NodeProto;
  /** Adds nodes to the graph. */
  op: Operators;
  /** The name of an input, or undefined where it is left out. */
  input(index: number): string | undefined;
  /** Shape of a value of the graph as it was. */
  shape(value: string): Shape;
  /** onnxruntime's element type of a value of the graph as it was. */
  elementType(value: string): string;
  /** Whether a value is of a floating-point type, be it since a lowering. */
  isFloat(value: string): boolean;
  /** A dimension that must be the same in every run. @throws UserError if it is not */
  fixedDim(value: string, axis: number): number;
  /** The node that makes a value. */
  producer(value: string): NodeProto | undefined;
  constant(value: string): TensorProto | undefined;
  /** What several nodes have in common is made once for all with the same key. */
  shared(key: string, make: () => string): string;
  /** Throws the error for inputs and attributes that have no lowering; the reason has no full stop. */
  refuse(reason: string): never;
}

/**
 * All lowerings compute what the operator does without cached keys and values: the gradient graph sees whole sequences.
 */
export interface Lowering {
  operator: string;
  /** Default: 'com.microsoft'. */
  domain?: string;
  /**
   * @returns the values that take the place of the node's outputs (undefined for those that nothing may read), or
   *   undefined where the node should stay
   */
  lower(context: LoweringContext): (string | undefined)[] | undefined;
}
