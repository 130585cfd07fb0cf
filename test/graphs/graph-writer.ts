/** Writes graphs node by node as exporters do, with the differences between operator set versions hidden. */
import { create } from '@bufbuild/protobuf';
import { Graph } from '../../src/engine/onnx/graph/graph.js';
import type { AttributeValue } from '../../src/engine/onnx/graph/attributes.js';
import type { DataType } from '../../src/engine/onnx/graph/data-types.js';
import type { OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
} from '../../src/engine/onnx/file/onnx_pb.js';
import { elementCount, floatTensor, int64Tensor } from '../../src/engine/onnx/graph/tensor.js';
import { makeValueInfo, type DeclaredDim } from '../../src/engine/onnx/graph/value-info.js';

/** 'To the end' in a Slice. */
export const END = 2 ** 53;

export class GraphWriter {
  readonly graph = new Graph(create(GraphProtoSchema, { name: 'main_graph' }));
  #state: number;

  constructor(
    readonly opset: number,
    seed: number,
  ) {
    this.#state = seed >>> 0;
  }

  input(name: string, type: DataType, dims: readonly DeclaredDim[]): string {
    return this.graph.addInput(makeValueInfo(name, type, dims));
  }

  output(name: string, type: DataType, dims: readonly DeclaredDim[]): void {
    this.graph.proto.output.push(makeValueInfo(name, type, dims));
  }

  /** A node with one output, named if `output` says how. */
  op(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    output?: string,
  ): string {
    return this.graph.addNode(
      type,
      inputs,
      attributes,
      output === undefined ? {} : { outputs: [output] },
    )[0]!;
  }

  /** A node of onnxruntime's own operators, with as many outputs as wanted; '' for those that are left out. */
  fused(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, AttributeValue> = {},
    outputs?: readonly string[],
  ): string[] {
    return this.graph.addNode(type, inputs, attributes, {
      domain: 'com.microsoft',
      ...(outputs ? { outputs } : {}),
    });
  }

  /** A Constant node with an int64 vector. */
  ints(...values: number[]): string {
    return this.op('Constant', [], { value: int64Tensor('', [values.length], values) });
  }

  /** A Constant node with an int64 scalar. */
  int(value: number): string {
    return this.op('Constant', [], { value: int64Tensor('', [], [value]) });
  }

  /** A Constant node with a float32 scalar. */
  float(value: number): string {
    return this.op('Constant', [], { value: floatTensor('', [], [value]) });
  }

  /** A Constant node with a float32 tensor. */
  floats(dims: readonly number[], values: readonly number[]): string {
    return this.op('Constant', [], { value: floatTensor('', dims, values) });
  }

  /** An initializer of random numbers around `centre`, about +-`spread`. */
  weight(name: string, dims: readonly number[], spread = 1 / Math.sqrt(dims[0]!), centre = 0): string {
    const values = Array.from({ length: elementCount(dims) }, () => centre + spread * this.#random());
    return this.graph.addInitializer(floatTensor(this.graph.freshName(name), dims, values));
  }

  /** An initializer with the given numbers. */
  tensor(name: string, dims: readonly number[], values: readonly number[]): string {
    return this.graph.addInitializer(floatTensor(this.graph.freshName(name), dims, values));
  }

  randomByte(): number {
    return Math.floor((this.#random() + 1) * 128);
  }

  unsqueeze(value: string, axis: number): string {
    if (this.opset < 13) return this.op('Unsqueeze', [value], { axes: [axis] });
    return this.op('Unsqueeze', [value, this.ints(axis)]);
  }

  squeeze(value: string, axis: number): string {
    if (this.opset < 13) return this.op('Squeeze', [value], { axes: [axis] });
    return this.op('Squeeze', [value, this.ints(axis)]);
  }

  /** Mean over the last axis, which stays with size one. */
  mean(value: string): string {
    if (this.opset < 18) return this.op('ReduceMean', [value], { axes: [-1], keepdims: 1 });
    return this.op('ReduceMean', [value, this.ints(-1)], { keepdims: 1 });
  }

  /** Sum over the last axis, which stays with size one. */
  sum(value: string): string {
    if (this.opset < 13) return this.op('ReduceSum', [value], { axes: [-1], keepdims: 1 });
    return this.op('ReduceSum', [value, this.ints(-1)], { keepdims: 1 });
  }

  split(value: string, sizes: readonly number[], axis: number): string[] {
    const outputs = sizes.length;
    if (this.opset < 13) return this.graph.addNode('Split', [value], { split: sizes, axis }, { outputs });
    return this.graph.addNode('Split', [value, this.ints(...sizes)], { axis }, { outputs });
  }

  slice(value: string, from: number, to: number, axis: number): string {
    return this.op('Slice', [value, this.ints(from), this.ints(to), this.ints(axis), this.ints(1)]);
  }

  /** One dimension of a value's shape, as an int64 scalar. */
  dim(value: string, axis: number): string {
    return this.op('Gather', [this.op('Shape', [value]), this.int(axis)], { axis: 0 });
  }

  /** A shape from int64 scalars in the graph and numbers. */
  shape(...dims: (string | number)[]): string {
    const parts = dims.map((dim) => (typeof dim === 'number' ? this.ints(dim) : this.unsqueeze(dim, 0)));
    return this.op('Concat', parts, { axis: 0 });
  }

  model(producerName: string): OnnxModel {
    this.graph.sortNodes();
    const fused = this.graph.nodes.some(({ domain }) => domain === 'com.microsoft');
    const opsets = [
      { domain: '', version: BigInt(this.opset) },
      ...(fused ? [{ domain: 'com.microsoft', version: 1n }] : []),
    ];
    const proto = create(ModelProtoSchema, {
      // Opset 21 and later came with IR version 10 and later.
      irVersion: this.opset > 20 ? 10n : 8n,
      producerName,
      opsetImport: opsets.map((opset) => create(OperatorSetIdProtoSchema, opset)),
      graph: this.graph.proto,
    });
    return { proto, graph: this.graph.proto, folder: undefined };
  }

  /** Uniform in -1 to 1 (mulberry32). */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  }
}
