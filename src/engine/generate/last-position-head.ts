/** A decoder whose head sees only the last position: all that generation needs, and small for any vocabulary. */
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { Operators } from '../onnx/graph/operators.js';
import { copyModel } from '../onnx/file/model-file.js';

/** On a copy: logits become [batch, 1, vocabulary]. */
export function lastPositionHead(decoder: Decoder): Decoder {
  const copy = readDecoder(copyModel(decoder.model));
  const { graph } = copy;
  const stream = copy.finalNorm.input;
  const normNodes = new Set(copy.finalNorm.nodes);
  const last = new Operators(graph, 'hopscotch.last_position').gather(stream, [-1], 1);
  graph.replaceUses(stream, last, (node) => !normNodes.has(node));
  graph.sortNodes();
  return copy;
}
