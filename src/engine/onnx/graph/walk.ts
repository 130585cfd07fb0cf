/** Walks over a graph: each place once, nearest first, and without recursion, however long a chain of nodes is. */
import type { NodeProto } from '../file/onnx_pb.js';
import { valuesRead } from './node.js';

/**
 * Goes from place to place (values or nodes). What follows a place is asked for after the place was given, so a walk
 * that is left early has asked for nothing more.
 */
export function* walk<T>(start: Iterable<T>, next: (place: T) => Iterable<T>): Generator<T, void, void> {
  // A set that is iterated gives what is added to it meanwhile, once.
  const places = new Set(start);
  for (const place of places) {
    yield place;
    for (const following of next(place)) places.add(following);
  }
}

/** All places of a walk, those where it starts included. */
export function reach<T>(start: Iterable<T>, next: (place: T) => Iterable<T>): Set<T> {
  const places = new Set(start);
  for (const place of places) for (const following of next(place)) places.add(following);
  return places;
}

/** A graph as far as a walk against its data flow looks at it. */
export interface Producers {
  producer(value: string): NodeProto | undefined;
}

/**
 * Everything that values are made of, be it of its shape only: the values themselves, nodes' results, graph inputs and
 * initializers.
 * @param stop values behind which the walk does not go; those that it came to are among the result
 */
export function valuesBefore(
  graph: Producers,
  values: Iterable<string>,
  stop: ReadonlySet<string> = new Set(),
): Set<string> {
  return reach(values, (value) => {
    const node = stop.has(value) ? undefined : graph.producer(value);
    return node ? valuesRead(node) : [];
  });
}

/** The nodes that make some of the values, each once. */
export function producersOf(graph: Producers, values: Iterable<string>): Set<NodeProto> {
  const nodes = new Set<NodeProto>();
  for (const value of values) {
    const node = graph.producer(value);
    if (node) nodes.add(node);
  }
  return nodes;
}
