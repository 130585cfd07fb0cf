/** Element types of values inside a graph, without running a full shape inference. */
import { intAttribute } from '../onnx/graph/attributes.js';
import { DataType } from '../onnx/graph/data-types.js';
import type { Graph } from '../onnx/graph/graph.js';
import { declaredType } from '../onnx/graph/value-info.js';

/** Operators whose result has the type of another input than the first. */
const TYPE_INPUT: Readonly<Record<string, number>> = {
  Where: 1,
  DequantizeLinear: 1,
  GatherBlockQuantized: 2,
};

/**
 * The element type of a floating-point value: that of the nearest Cast, weight or graph input that it comes from.
 * float32 if the way back ends elsewhere.
 */
export function elementType(graph: Graph, value: string): DataType {
  let name = value;
  for (;;) {
    const constant = graph.constant(name);
    if (constant) return constant.dataType;
    const input = graph.input(name);
    if (input) return declaredType(input) ?? DataType.FLOAT;
    const node = graph.producer(name);
    if (!node) return DataType.FLOAT;
    if (node.opType === 'Cast') return intAttribute(node, 'to', DataType.FLOAT);
    const next = node.input[TYPE_INPUT[node.opType] ?? 0];
    if (!next) return DataType.FLOAT;
    name = next;
  }
}
