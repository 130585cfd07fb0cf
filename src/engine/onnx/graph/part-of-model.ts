/** A part of a model's graph as a model of its own. */
import { clone, create } from '@bufbuild/protobuf';
import type { Graph } from './graph.js';
import { producersOf, valuesBefore } from './walk.js';
import type { OnnxModel } from '../file/model-file.js';
import { shallowCopy } from '../file/shallow-copy.js';
import {
  GraphProtoSchema,
  NodeProtoSchema,
  ValueInfoProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from '../file/onnx_pb.js';

export interface PartBorders {
  /** Values made outside of the part, which become its inputs beside those of the whole graph that it reads. */
  inputs: readonly ValueInfoProto[];
  outputs: readonly ValueInfoProto[];
}

/**
 * The nodes that make the outputs out of the inputs, as a copy. Only the weights that they read come along; the bytes of
 * these are shared with the whole model, and those in external files stay there.
 * @param graph a view of the model's graph, its nodes in topological order
 */
export function partOfModel(model: OnnxModel, graph: Graph, borders: PartBorders): OnnxModel {
  const { nodes, values } = needed(graph, borders);
  const { proto: whole } = graph;
  const part = create(GraphProtoSchema, {
    name: whole.name,
    node: whole.node.filter((node) => nodes.has(node)).map((node) => clone(NodeProtoSchema, node)),
    initializer: whole.initializer.filter(({ name }) => values.has(name)).map(shallowCopy),
    input: [...whole.input.filter(({ name }) => values.has(name)), ...borders.inputs].map((info) =>
      clone(ValueInfoProtoSchema, info),
    ),
    output: borders.outputs.map((info) => clone(ValueInfoProtoSchema, info)),
  });
  const proto = shallowCopy(model.proto);
  proto.graph = part;
  return { proto, graph: part, folder: model.folder };
}

/** Nodes and values that the outputs are made of, up to the inputs. */
function needed(graph: Graph, borders: PartBorders): { nodes: Set<NodeProto>; values: Set<string> } {
  const stop = new Set(borders.inputs.map(({ name }) => name));
  const ends = borders.outputs.map(({ name }) => name);
  const values = valuesBefore(graph, ends, stop);
  for (const name of stop) values.delete(name);
  return { nodes: producersOf(graph, values), values };
}
