/** Merges a decoder without a cache's past and one with it into one graph, as Optimum does, for tests. */
import { create } from '@bufbuild/protobuf';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { copyModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  NodeProtoSchema,
  type GraphProto,
} from '../../src/engine/onnx/file/onnx_pb.js';
import { makeValueInfo } from '../../src/engine/onnx/graph/value-info.js';

/** @param model a decoder with a cache; its branch for the first run reads no past, only the shape of one */
export function mergeDecoders(model: OnnxModel): OnnxModel {
  const merged = copyModel(model);
  const first = copyModel(model);
  const { graph } = merged;
  const branch = (name: string, source: GraphProto, suffix: string) =>
    create(AttributeProtoSchema, {
      name,
      type: AttributeType.GRAPH,
      g: create(GraphProtoSchema, {
        name,
        node: renamed(source, suffix),
        output: source.output.map((output) => ({ ...output, name: `${output.name}${suffix}` })),
      }),
    });
  for (const node of first.graph.node) {
    // Concat of past and present becomes the present alone.
    if (node.opType === 'Concat' && node.input[0]!.startsWith('past')) {
      node.opType = 'Identity';
      node.input.shift();
      node.attribute = [];
    }
  }
  const outputs = graph.output.map((output) => output.name);
  const choice = create(NodeProtoSchema, {
    opType: 'If',
    name: 'optimum::if',
    input: ['use_cache_branch'],
    output: outputs,
    attribute: [branch('then_branch', merged.graph, '_cached'), branch('else_branch', first.graph, '_first')],
  });
  graph.node = [choice];
  graph.input.push(makeValueInfo('use_cache_branch', DataType.BOOL, [1]));
  return merged;
}

/** The nodes with the values that they make renamed. */
function renamed(graph: GraphProto, suffix: string) {
  const made = new Set(graph.node.flatMap((node) => node.output));
  const name = (value: string) => (made.has(value) ? `${value}${suffix}` : value);
  return graph.node.map((node) => ({
    ...node,
    name: `${node.name}${suffix}`,
    input: node.input.map(name),
    output: node.output.map(name),
  }));
}
