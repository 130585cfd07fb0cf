/**
 * A KV cache in pieces: what the last few runs made is handed in beside the cache before them, and a run can be asked for
 * its new keys and values alone. A cache that a run gives as a whole is copied as a whole, for each new token.
 */
import { copyModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { intAttribute } from '../../onnx/graph/attributes.js';
import { Graph } from '../../onnx/graph/graph.js';
import { isStandardDomain } from '../../onnx/graph/operator-domain.js';
import { Operators } from '../../onnx/graph/operators.js';
import { declaredDims, declaredType, makeValueInfo } from '../../onnx/graph/value-info.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';

/** A graph input of a cache, and the output that holds it and the new positions. */
export interface CacheEnds {
  past: string;
  present: string;
}

export interface CacheInPieces {
  model: OnnxModel;
  /** By the outputs' names. */
  pieces: ReadonlyMap<string, CachePieces>;
}

/** Of one cache input, all [rows, heads, positions, width]. */
export interface CachePieces {
  /** Inputs that come behind the past one, in the order of their positions; they may have no positions. */
  recent: readonly string[];
  /** The output of the new positions alone. */
  made: string;
}

/** The axis of the positions. */
const POSITIONS = 2;

/**
 * All outputs stay, and give the same. Only for graphs that put new keys and values behind the past ones with a Concat.
 * @param count of recent pieces
 * @returns a copy; undefined where a cache has another form
 */
export function withRecentCache(
  original: OnnxModel,
  ends: readonly CacheEnds[],
  count: number,
): CacheInPieces | undefined {
  const model = copyModel(original);
  const graph = new Graph(model.graph);
  const joins = ends.map((end) => joinOf(graph, end));
  if (joins.length === 0 || !joins.every((join) => join !== undefined)) return undefined;
  const made = joins.map(({ input }) => input[1]!);
  if (new Set(made).size < made.length || made.some((value) => !graph.producer(value))) return undefined;
  const pieces = new Map(
    ends.map((end, place) => [end.present, takeApart(graph, end, joins[place]!, count)]),
  );
  graph.sortNodes();
  return { model, pieces };
}

/** The node that puts new positions behind the past ones. */
function joinOf(graph: Graph, { past, present }: CacheEnds): NodeProto | undefined {
  const node = graph.producer(present);
  const dims = declaredDims(graph.input(past)!);
  if (node?.opType !== 'Concat' || !isStandardDomain(node.domain) || dims?.length !== 4) return undefined;
  const axis = intAttribute(node, 'axis', 0);
  const isInOrder = node.input.length === 2 && node.input[0] === past && node.input[1] !== past;
  return isInOrder && (axis === POSITIONS || axis === POSITIONS - 4) ? node : undefined;
}

function takeApart(graph: Graph, { past, present }: CacheEnds, join: NodeProto, count: number): CachePieces {
  const write = new Operators(graph, 'hopscotch.recent');
  const info = graph.input(past)!;
  const [rows, heads, , width] = declaredDims(info)!;
  const type = declaredType(info)!;
  const valueOf = (name: string, positions: string) =>
    makeValueInfo(name, type, [rows, heads, positions, width]);
  const recent = Array.from({ length: count }, (_, piece) => {
    const name = graph.freshName(`${past}.recent.${piece}`);
    return graph.addInput(valueOf(name, name));
  });
  const made = join.input[1]!;
  // Whoever else reads the past (most want to know how long it is) sees the recent positions, too.
  const others = graph.consumers(past).filter((node) => node !== join);
  if (others.length > 0) {
    const all = write.concat([past, ...recent], POSITIONS);
    graph.replaceUses(past, all, (node) => !others.includes(node));
  }
  graph.renameOutput(join, 0, graph.freshName('hopscotch.recent.before'));
  const whole = write.concat([past, ...recent, made], POSITIONS);
  graph.replaceUses(join.output[0]!, whole);
  graph.removeNodes(new Set([join]));
  graph.renameOutput(graph.producer(whole)!, 0, present);
  if (!graph.isOutput(made)) graph.proto.output.push(valueOf(made, `${made}.positions`));
  return { recent, made };
}
