/** A decoder whose head sees only the last position: all that generation needs, and small for any vocabulary. */
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { int64Tensor } from '../onnx/graph/tensor.js';
import { copyModel } from '../onnx/file/model-file.js';

/** On a copy: logits become [batch, 1, vocabulary]. */
export function lastPositionHead(decoder: Decoder): Decoder {
  const copy = readDecoder(copyModel(decoder.model));
  const { graph } = copy;
  const stream = copy.finalNorm.input;
  const normNodes = new Set(copy.finalNorm.nodes);
  const last = graph.addInitializer(int64Tensor(graph.freshName('hopscotch.last_position'), [1], [-1]));
  const [chosen] = graph.addNode('Gather', [stream, last], { axis: 1 }, { label: 'hopscotch.last_position' });
  graph.replaceUses(stream, chosen!, (node) => !normNodes.has(node));
  graph.sortNodes();
  return copy;
}
