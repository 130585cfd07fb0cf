/** Turns a decoder's output head into a loss: cross-entropy of chosen positions only, which keeps large vocabularies cheap. */
import type { Decoder } from '../decoder/decoder.js';
import { forgetPast } from '../decoder/read/fused-attention.js';
import { DataType } from '../onnx/graph/data-types.js';
import { int64Tensor } from '../onnx/graph/tensor.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { addHiddenMatch } from './hidden-match.js';
import { LOSS_INPUTS, LOSS_OUTPUTS } from './loss-values.js';

/**
 * Rewrites the decoder's graph in place: the final norm and the head see only the positions that carry loss, and the
 * graph's outputs become the loss and what goes with it, in the place of the logits and the cache.
 * @param outputs which of LOSS_OUTPUTS the graph gets
 */
export function attachLoss(decoder: Decoder, outputs: readonly (keyof typeof LOSS_OUTPUTS)[]): void {
  const { graph } = decoder;
  const scope = { label: 'hopscotch.loss_head' };
  const constant = (values: number[]) =>
    graph.addInitializer(
      int64Tensor(graph.freshName('hopscotch.loss_head.constant'), [values.length], values),
    );
  const positions = graph.addInput(makeValueInfo(LOSS_INPUTS.positions, DataType.INT64, ['loss_tokens']));
  const labels = graph.addInput(makeValueInfo(LOSS_INPUTS.labels, DataType.INT64, ['loss_tokens']));
  const weights = graph.addInput(makeValueInfo(LOSS_INPUTS.weights, DataType.FLOAT, ['loss_tokens']));

  const stream = decoder.finalNorm.input;
  const normNodes = new Set(decoder.finalNorm.nodes);
  const [flat] = graph.addNode('Reshape', [stream, constant([1, -1, decoder.hiddenSize])], {}, scope);
  const [chosen] = graph.addNode('Gather', [flat!, positions], { axis: 1 }, scope);
  graph.replaceUses(stream, chosen!, (node) => !normNodes.has(node));

  const logits = castToFloat32(decoder);
  const [logProbabilities] = graph.addNode('LogSoftmax', [logits], { axis: -1 }, scope);
  const [index] = graph.addNode('Reshape', [labels, constant([1, -1, 1])], {}, scope);
  const [picked] = graph.addNode('GatherElements', [logProbabilities!, index!], { axis: -1 }, scope);
  graph.addNode('Neg', [picked!], {}, { ...scope, outputs: [LOSS_OUTPUTS.tokenLosses] });
  const [flatLosses] = graph.addNode('Reshape', [LOSS_OUTPUTS.tokenLosses, constant([-1])], {}, scope);
  const [weighted] = graph.addNode('Mul', [flatLosses!, weights], {}, scope);
  graph.addNode('ReduceSum', [weighted!], { keepdims: 0 }, { ...scope, outputs: [LOSS_OUTPUTS.loss] });
  graph.addNode(
    'ArgMax',
    [logits],
    { axis: -1, keepdims: 0 },
    { ...scope, outputs: [LOSS_OUTPUTS.predictions] },
  );
  graph.addNode('Identity', [logits], {}, { ...scope, outputs: [LOSS_OUTPUTS.logits] });
  graph.addNode('Cast', [stream], { to: DataType.FLOAT }, { ...scope, outputs: [LOSS_OUTPUTS.hidden] });
  if (outputs.includes('objective')) {
    addHiddenMatch(graph, LOSS_OUTPUTS.hidden, LOSS_OUTPUTS.loss, decoder.hiddenSize, LOSS_OUTPUTS.objective);
  }

  const declared = {
    loss: makeValueInfo(LOSS_OUTPUTS.loss, DataType.FLOAT, []),
    tokenLosses: makeValueInfo(LOSS_OUTPUTS.tokenLosses, DataType.FLOAT, [1, 'loss_tokens', 1]),
    predictions: makeValueInfo(LOSS_OUTPUTS.predictions, DataType.INT64, [1, 'loss_tokens']),
    logits: makeValueInfo(LOSS_OUTPUTS.logits, DataType.FLOAT, [1, 'loss_tokens', decoder.vocabularySize]),
    hidden: makeValueInfo(LOSS_OUTPUTS.hidden, DataType.FLOAT, ['rows', 'positions', decoder.hiddenSize]),
    objective: makeValueInfo(LOSS_OUTPUTS.objective, DataType.FLOAT, []),
  };
  graph.proto.output = outputs.map((name) => declared[name]);
  forgetPast(graph);
  graph.removeUnused();
  graph.sortNodes();
}

/** float16 models: the softmax over the vocabulary is taken in float32. */
function castToFloat32(decoder: Decoder): string {
  const [logits] = decoder.graph.addNode(
    'Cast',
    [decoder.logits],
    { to: DataType.FLOAT },
    { label: 'hopscotch.loss_head' },
  );
  return logits!;
}
