/** Adding a constant vector to the residual stream. */
import type { Decoder } from '../decoder.js';
import { Operators } from '../../onnx/graph/operators.js';
import { elementType } from '../element-type.js';
import { rereadDecoder } from '../read/read-decoder.js';

/** Where something is added to the stream: where it begins, or behind a step. */
export type StreamPlace = 'embedding' | { afterStep: number };

/**
 * Adds a value to the stream, for all that reads the stream from there on. Changes the decoder's graph.
 * @param offset an initializer or graph input that broadcasts over [rows, positions, hidden size]
 * @returns the changed graph as a decoder; the one given must not be used any more
 */
export function addToStream(decoder: Decoder, place: StreamPlace, offset: string): Decoder {
  const { graph } = decoder;
  const value = place === 'embedding' ? decoder.embedding : decoder.steps[place.afterStep]!.output;
  const op = new Operators(graph, offset);
  const type = elementType(graph, value);
  const readers = new Set(graph.consumers(value));
  const sum = op.add(value, elementType(graph, offset) === type ? offset : op.cast(offset, type));
  graph.replaceUses(value, sum, (node) => !readers.has(node));
  graph.sortNodes();
  return rereadDecoder(decoder.model, decoder);
}
