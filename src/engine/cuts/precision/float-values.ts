/** Which values of a graph are floating-point numbers, without a run. */
import { intAttribute, subgraphs, tensorAttribute } from '../../onnx/graph/attributes.js';
import { DataType, isFloatingPoint } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { declaredType } from '../../onnx/graph/value-info.js';

/** Operators whose results are integers or truth values, whatever they read. */
const NO_FLOATS = new Set(
  (
    'Shape Size NonZero ArgMax ArgMin Equal Less LessOrEqual Greater GreaterOrEqual And Or Not Xor IsNaN IsInf ' +
    'QuantizeLinear MatMulInteger'
  ).split(' '),
);

/** Operators whose result has the type of another input than the first. */
const TYPE_INPUT: Readonly<Record<string, number>> = {
  Where: 1,
  OneHot: 2,
  DequantizeLinear: 1,
  GatherBlockQuantized: 2,
};

/** Places among several results that are integers. */
const PLACES: Readonly<Record<string, number>> = { TopK: 1 };

export function isFloat(graph: Graph, value: string): boolean {
  let name = value;
  for (;;) {
    const constant = graph.constant(name);
    if (constant) return isFloatingPoint(constant.dataType);
    const input = graph.input(name);
    if (input) return isFloatingPoint(declaredType(input) ?? DataType.FLOAT);
    const node = graph.producer(name);
    if (!node || NO_FLOATS.has(node.opType)) return false;
    if (node.opType === 'Cast') return isFloatingPoint(intAttribute(node, 'to', DataType.FLOAT));
    if (node.opType === 'ConstantOfShape')
      return isFloatingPoint(tensorAttribute(node, 'value')?.dataType ?? DataType.FLOAT);
    if (node.opType === 'If') {
      const result = subgraphs(node)[0]?.output[node.output.indexOf(name)];
      return isFloatingPoint((result && declaredType(result)) ?? DataType.FLOAT);
    }
    if (PLACES[node.opType] === node.output.indexOf(name)) return false;
    const next = node.input[TYPE_INPUT[node.opType] ?? 0];
    if (!next) return false;
    name = next;
  }
}
