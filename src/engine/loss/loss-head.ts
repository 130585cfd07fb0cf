/** Turns a decoder's output head into a loss at chosen positions only, which keeps large vocabularies cheap. */
import type { LossKind } from '../../schema/settings.js';
import type { Decoder } from '../decoder/decoder.js';
import { DISTINCT_INPUTS, byRows } from '../decoder/edit/distinct-tokens.js';
import { forgetPast } from '../decoder/read/fused-attention.js';
import { DataType } from '../onnx/graph/data-types.js';
import { Operators } from '../onnx/graph/operators.js';
import { makeValueInfo } from '../onnx/graph/value-info.js';
import { addDivergence, TARGET_TOKENS } from './divergence.js';
import { addHiddenMatch } from './hidden-match.js';
import { LOSS_INPUTS, LOSS_OUTPUTS } from './loss-values.js';

/**
 * Rewrites the decoder's graph in place: the final norm and the head see only the positions that carry loss, and the
 * graph's outputs become the loss and what goes with it, in the place of the logits and the cache.
 * @param outputs which of LOSS_OUTPUTS the graph gets
 * @param kind 'divergence': the graph takes the original's distributions too
 */
export function attachLoss(
  decoder: Decoder,
  outputs: readonly (keyof typeof LOSS_OUTPUTS)[],
  kind: LossKind = 'cross-entropy',
): void {
  const { graph } = decoder;
  const op = new Operators(graph, 'hopscotch.loss_head');
  const positions = graph.addInput(makeValueInfo(LOSS_INPUTS.positions, DataType.INT64, ['loss_tokens']));
  const labels = graph.addInput(makeValueInfo(LOSS_INPUTS.labels, DataType.INT64, ['loss_tokens']));
  const weights = graph.addInput(makeValueInfo(LOSS_INPUTS.weights, DataType.FLOAT, ['loss_tokens']));

  const stream = decoder.finalNorm.input;
  const normNodes = new Set(decoder.finalNorm.nodes);
  const isDistinct = graph.input(DISTINCT_INPUTS.places) !== undefined;
  const places = isDistinct ? op.gather(op.reshape(DISTINCT_INPUTS.places, [-1]), positions, 0) : positions;
  const hidden = isDistinct ? byRows(op, stream) : stream;
  const chosen = op.gather(op.reshape(stream, [1, -1, decoder.hiddenSize]), places, 1);
  graph.replaceUses(stream, chosen, (node) => !normNodes.has(node));

  // float16 models: the softmax over the vocabulary is taken in float32.
  const wide = op.cast(decoder.logits, DataType.FLOAT);
  // Heads may give [tokens, vocabulary], or have axes of their own.
  const logits = op.reshape(wide, [1, -1, decoder.vocabularySize]);
  const logProbabilities = op.logSoftmax(logits);
  const picked = op.gatherElements(logProbabilities, op.reshape(labels, [1, -1, 1]), -1);
  const tokenLosses = op.name(op.neg(picked), LOSS_OUTPUTS.tokenLosses);
  const losses =
    kind === 'divergence'
      ? op.name(addDivergence(graph, op, logProbabilities), LOSS_OUTPUTS.divergences)
      : op.reshape(tokenLosses, [-1]);
  const weighted = op.mul(losses, weights);
  op.name(op.reduceSum(weighted, undefined, false), LOSS_OUTPUTS.loss);
  op.name(op.argMax(logits, -1), LOSS_OUTPUTS.predictions);
  op.name(op.identity(logits), LOSS_OUTPUTS.logits);
  const kept = Math.min(TARGET_TOKENS, decoder.vocabularySize);
  const [largest, largestAt] = op.topK(logProbabilities, kept, -1);
  op.name(largest, LOSS_OUTPUTS.topLogProbabilities);
  op.name(largestAt, LOSS_OUTPUTS.topTokens);
  op.name(op.cast(hidden, DataType.FLOAT), LOSS_OUTPUTS.hidden);
  if (outputs.includes('objective')) {
    addHiddenMatch(graph, LOSS_OUTPUTS.hidden, LOSS_OUTPUTS.loss, decoder.hiddenSize, LOSS_OUTPUTS.objective);
  }

  const declared = {
    loss: makeValueInfo(LOSS_OUTPUTS.loss, DataType.FLOAT, []),
    tokenLosses: makeValueInfo(LOSS_OUTPUTS.tokenLosses, DataType.FLOAT, [1, 'loss_tokens', 1]),
    predictions: makeValueInfo(LOSS_OUTPUTS.predictions, DataType.INT64, [1, 'loss_tokens']),
    logits: makeValueInfo(LOSS_OUTPUTS.logits, DataType.FLOAT, [1, 'loss_tokens', decoder.vocabularySize]),
    divergences: makeValueInfo(LOSS_OUTPUTS.divergences, DataType.FLOAT, ['loss_tokens']),
    topLogProbabilities: makeValueInfo(LOSS_OUTPUTS.topLogProbabilities, DataType.FLOAT, [
      1,
      'loss_tokens',
      kept,
    ]),
    topTokens: makeValueInfo(LOSS_OUTPUTS.topTokens, DataType.INT64, [1, 'loss_tokens', kept]),
    hidden: makeValueInfo(LOSS_OUTPUTS.hidden, DataType.FLOAT, ['rows', 'positions', decoder.hiddenSize]),
    objective: makeValueInfo(LOSS_OUTPUTS.objective, DataType.FLOAT, []),
  };
  graph.proto.output = outputs.map((name) => declared[name]);
  forgetPast(graph);
  graph.removeUnused();
  graph.sortNodes();
}
