/** What belongs to one part of a graph alone: its nodes and its weights. */
import { valuesRead } from '../../onnx/graph/node.js';
import type { NodeProto, TensorProto } from '../../onnx/file/onnx_pb.js';
import { readsShapeOnly, type DataFlow } from './data-flow.js';
import { producersOf, valuesBefore } from '../../onnx/graph/walk.js';
import type { Use } from '../decoder.js';

/** A part of a graph by its borders. */
export interface Part {
  /** The value that is handed on to the residual stream, and where. */
  output: string;
  outputUse: Use;
  /** Graph outputs that the part makes. */
  outputs: readonly string[];
  /** The stream that it reads. */
  input: string;
  /** Its cache inputs. */
  pasts: readonly string[];
}

/**
 * Nodes that no graph output needs once the part's output and its own graph outputs are gone. Reading the shape of a
 * value made in the part does not count as need, since other blocks have values of the same shape.
 * @param stream all values of the residual stream, behind which nothing can belong to the part
 * @param live nodes that some graph output needs
 */
export function ownNodes(
  flow: DataFlow,
  part: Part,
  stream: ReadonlySet<string>,
  live: ReadonlySet<NodeProto>,
): Set<NodeProto> {
  const { graph } = flow;
  const ends = [part.output, ...part.outputs];
  const made = new Set([...flow.between([part.input, ...part.pasts], ends)].flatMap((node) => node.output));
  const behind = valuesBefore(graph, ends, stream);
  const own = producersOf(
    graph,
    [...behind].filter((value) => !stream.has(value)),
  );
  const isNeeded = (node: NodeProto) =>
    node.output.some((value) => {
      if (graph.isOutput(value)) return !part.outputs.includes(value);
      return graph.consumers(value).some((reader) => {
        if (own.has(reader) || !live.has(reader)) return false;
        return (
          !(reader === part.outputUse.node && value === part.output) &&
          !(readsShapeOnly(reader) && made.has(value))
        );
      });
    });
  const queue = [...own];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (!own.has(node) || !isNeeded(node)) continue;
    own.delete(node);
    queue.push(...valuesRead(node).flatMap((value) => graph.producer(value) ?? []));
  }
  return own;
}

/** Initializers, and tensors of Constant nodes, that only the given nodes read. */
export function weightsOf(flow: DataFlow, nodes: ReadonlySet<NodeProto>): TensorProto[] {
  const { graph } = flow;
  const values = new Set([...nodes].flatMap(valuesRead));
  return [...values].flatMap((value) => {
    const tensor = graph.constant(value);
    const isOwn = tensor !== undefined && graph.consumers(value).every((node) => nodes.has(node));
    return isOwn && !graph.isOutput(value) ? [tensor] : [];
  });
}
