/** A decoder whose head sees only the last position: all that generation needs, and small for any vocabulary. */
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Operators } from '../onnx/graph/operators.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { copyModel } from '../onnx/file/model-file.js';

/** An output: float32 [batch, positions, hidden size], the last value of the residual stream. */
export const LAST_STREAM = 'hopscotch.last_stream';

/**
 * On a copy: logits become [batch, 1, vocabulary].
 * @param givesStream adds the output LAST_STREAM
 */
export function lastPositionHead(decoder: Decoder, givesStream = false): Decoder {
  const copy = readDecoder(copyModel(decoder.model));
  const { graph } = copy;
  const stream = copy.finalNorm.input;
  const normNodes = new Set(copy.finalNorm.nodes);
  const op = new Operators(graph, 'hopscotch.last_position');
  const last = op.gather(stream, [-1], 1);
  graph.replaceUses(stream, last, (node) => !normNodes.has(node));
  if (givesStream) {
    op.name(op.cast(stream, DataType.FLOAT), LAST_STREAM);
    graph.proto.output.push(
      makeValueInfo(LAST_STREAM, DataType.FLOAT, ['batch', 'positions', decoder.hiddenSize]),
    );
  }
  graph.sortNodes();
  return copy;
}
