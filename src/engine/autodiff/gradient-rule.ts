/** The contract of a gradient rule: how the gradient of one operator is made of other operators. */
import type { NodeProto, TensorProto } from '../onnx/file/onnx_pb.js';
import type { GradientBuilder } from './gradient-builder.js';
import type { Shape } from './value-types.js';

export interface RuleContext {
  node: NodeProto;
  /** Adds nodes to the gradient graph. */
  build: GradientBuilder;
  /** Gradient of the loss by the node's output, or undefined where the loss does not depend on that output. */
  outputGradient(index: number): string | undefined;
  /** Whether the gradient by this input is needed. */
  wants(inputIndex: number): boolean;
  /** Shape of a value of the forward graph. */
  shape(value: string): Shape;
  /** onnxruntime's element type of a value of the forward graph. */
  elementType(value: string): string;
  /** The tensor behind an initializer or the output of a Constant node. */
  constant(value: string): TensorProto | undefined;
  /** The node of the forward graph that makes a value; undefined for inputs and initializers. */
  producer(value: string): NodeProto | undefined;
  /** Version of the standard operators in the model; at least 13. */
  opset: number;
}

export interface GradientRule {
  operator: string;
  /** Default: '' (the standard operators). */
  domain?: string;
  /**
   * Names of the gradients by the node's inputs, each of its input's shape; undefined where not wanted or where the
   * operator does not depend smoothly on the input (indices, shapes).
   */
  gradient(context: RuleContext): (string | undefined)[];
}
