/** A decoder that gives logits at all positions, where its file gives those of the last one: what is learnt from. */
import { int64Tensor } from '../../onnx/graph/tensor.js';
import { copyModel } from '../../onnx/file/model-file.js';
import type { Decoder } from '../decoder.js';
import { readDecoder, rereadDecoder } from '../read/read-decoder.js';

/** A copy whose head reads the value before the cut; the decoder itself where nothing is cut. */
export function allPositions(decoder: Decoder): Decoder {
  if (!decoder.cut) return decoder;
  const model = copyModel(decoder.model);
  const { graph, cut, hiddenSize } = readDecoder(model);
  const { input, output } = cut!;
  const rows = () => {
    const shape = graph.addInitializer(
      int64Tensor(graph.freshName('hopscotch.all_positions.shape'), [2], [-1, hiddenSize]),
    );
    return graph.addNode('Reshape', [input, shape], {}, { label: 'hopscotch.all_positions' })[0]!;
  };
  const isGemm = graph.consumers(output).some(({ opType }) => opType === 'Gemm');
  graph.replaceUses(output, isGemm ? rows() : input);
  graph.removeUnused();
  graph.sortNodes();
  return rereadDecoder(model, decoder);
}
