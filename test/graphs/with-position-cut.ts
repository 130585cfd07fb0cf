/** Decoders whose head sees the last position only, or as many as an input says, as exporters write them. */
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import { copyModel, type OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { int64Tensor } from '../../src/engine/onnx/graph/tensor.js';
import { makeValueInfo } from '../../src/engine/onnx/graph/value-info.js';

export const POSITION_CUTS = [
  'Gather of one index and Unsqueeze',
  'Gather of a list of indices',
  'Slice from the end',
  'Slice before the norm',
  'num_logits_to_keep',
] as const;
export type PositionCutStyle = (typeof POSITION_CUTS)[number];

/** A copy of a decoder that gives logits at all positions. */
export function withPositionCut(model: OnnxModel, style: PositionCutStyle): OnnxModel {
  const copy = copyModel(model);
  const { graph, finalNorm } = readDecoder(copy);
  const constant = (dims: readonly number[], ...values: number[]) =>
    graph.addInitializer(int64Tensor(graph.freshName('cut.constant'), dims, values));
  const op = (opType: string, inputs: string[], attributes = {}) =>
    graph.addNode(opType, inputs, attributes)[0]!;
  const from = style === 'Slice before the norm' ? finalNorm.input : finalNorm.output;
  const before = new Set(graph.consumers(from));
  const slice = (start: string) => op('Slice', [from, start, constant([1], 2 ** 40), constant([1], 1)]);
  const cut = () => {
    switch (style) {
      case 'Gather of one index and Unsqueeze':
        return op('Unsqueeze', [op('Gather', [from, constant([], -1)], { axis: 1 }), constant([1], 1)]);
      case 'Gather of a list of indices':
        return op('Gather', [from, constant([1], -1)], { axis: 1 });
      case 'num_logits_to_keep': {
        const wanted = graph.addInput(makeValueInfo('num_logits_to_keep', DataType.INT64, []));
        return slice(op('Unsqueeze', [op('Neg', [wanted]), constant([1], 0)]));
      }
      default:
        return slice(constant([1], -1));
    }
  };
  const result = cut();
  graph.replaceUses(from, result, (node) => !before.has(node));
  graph.sortNodes();
  return copy;
}
