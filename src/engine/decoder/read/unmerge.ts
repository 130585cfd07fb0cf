/**
 * Merged decoders (Optimum's decoder_model_merged.onnx) hold their graph twice, inside an If on the input
 * 'use_cache_branch': without a past and with one. The branch with a past does for both, since the past may be empty.
 */
import { subgraphs } from '../../onnx/graph/attributes.js';
import { Graph } from '../../onnx/graph/graph.js';
import { valuesRead } from '../../onnx/graph/node.js';
import { Operators } from '../../onnx/graph/operators.js';
import { copyModel, type OnnxModel } from '../../onnx/file/model-file.js';
import type { GraphProto, NodeProto } from '../../onnx/file/onnx_pb.js';

/** Number of dimensions of a cache of keys and values, at least. */
const CACHE_RANK = 4;

/** The model with the branch that takes past keys and values in the If's place; the model itself if it is not merged. */
export function unmerge(model: OnnxModel): OnnxModel {
  const choice = model.graph.node.find((node) => withPast(model.graph, node) !== undefined);
  if (!choice) return model;
  const index = model.graph.node.indexOf(choice);
  const copy = copyModel(model);
  const [node] = copy.graph.node.splice(index, 1) as [NodeProto];
  const branch = subgraphs(node)[withPast(model.graph, choice)!]!;
  copy.graph.node.push(...branch.node);
  copy.graph.initializer.push(...branch.initializer);
  const graph = new Graph(copy.graph);
  branch.output.forEach((output, place) => nameResult(graph, output.name, node.output[place]!));
  graph.removeInputs(new Set(valuesRead(node).filter((name) => name === node.input[0])));
  graph.removeUnused();
  graph.sortNodes();
  return copy;
}

/** Which of the two branches of an If on an input reads past keys and values that the other does not; or undefined. */
function withPast(graph: GraphProto, node: NodeProto): 0 | 1 | undefined {
  if (node.opType !== 'If' || !graph.input.some((input) => input.name === node.input[0])) return undefined;
  const pasts = graph.input
    .filter((input) => {
      const type = input.type?.value;
      return type?.case === 'tensorType' && (type.value.shape?.dim.length ?? 0) >= CACHE_RANK;
    })
    .map((input) => input.name);
  const reads = subgraphs(node).map((branch) => new Set(branch.node.flatMap(valuesRead)));
  const counts = reads.map((names) => pasts.filter((past) => names.has(past)).length);
  if (pasts.length === 0 || counts.length !== 2 || Math.max(...counts) < pasts.length) return undefined;
  return counts[0]! >= counts[1]! ? 0 : 1;
}

/** Gives a value of the branch the name of the If's output. */
function nameResult(graph: Graph, value: string, name: string): void {
  if (value === name) return;
  const producer = graph.producer(value);
  if (producer && !graph.isOutput(value)) graph.renameOutput(producer, producer.output.indexOf(value), name);
  else {
    const op = new Operators(graph, name);
    op.name(op.identity(value), name);
  }
}
