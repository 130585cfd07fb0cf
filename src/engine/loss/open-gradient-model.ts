/** Opens a decoder with gates and a loss, and its gradients by every scale, in onnxruntime. */
import { keepActivations } from '../autodiff/lower/full-accuracy.js';
import { sharesTokens } from '../decoder/edit/distinct-tokens.js';
import { widenFloats } from '../onnx/graph/widen-floats.js';
import type { Decoder } from '../decoder/decoder.js';
import { upgradeOpset } from '../onnx/opset/upgrade-opset.js';
import { rereadDecoder } from '../decoder/read/read-decoder.js';
import { Graph } from '../onnx/graph/graph.js';
import { emptyCache, tokenFeeds } from '../runtime/decoder-feeds.js';
import type { Feeds } from '../runtime/session.js';
import { float32Tensor, int64Tensor } from '../runtime/tensors.js';
import { gatedDecoder } from './forward-model.js';
import { gateFeeds } from './gated-decoder.js';
import { distinctProbe } from './distinct-feeds.js';
import { hiddenMatchProbe } from './hidden-match.js';
import { targetProbe } from './divergence.js';
import { holdAgainstCpu } from './against-cpu.js';
import { attachLoss } from './loss-head.js';
import { LOSS_INPUTS, LOSS_OUTPUTS } from './loss-values.js';
import { openGradient } from './open-gradient.js';
import { GradientModel, type GradientModelOptions } from './gradient-model.js';

/** Tokens that a CPU computes at once: with more, activations leave its caches. */
const TOKENS_AT_ONCE = 1024;

/**
 * @throws UserError if an operator has no gradient rule or onnxruntime cannot load the graph
 * @throws ProviderFailure if another device than the CPU computes other gradients than it, or takes longer although it
 *   must pay
 */
export async function openGradientModel(
  decoder: Decoder,
  options: GradientModelOptions,
): Promise<GradientModel> {
  const upgraded = rereadDecoder(upgradeOpset(decoder.model), decoder);
  const { gated, gates } = gatedDecoder(upgraded, options);
  const { loss: kind = 'cross-entropy' } = options;
  attachLoss(gated, options.matchHidden ? ['loss', 'objective'] : ['loss'], kind);
  const graph = new Graph(gated.model.graph);
  widenFloats(graph);
  keepActivations(graph);
  const probes = [[2, 3] as const, [3, 5] as const].map(([rows, positions]) => ({
    ...probeFeeds(gated, rows, positions),
    ...gateFeeds(gates, new Map()),
    ...(kind === 'divergence' ? targetProbe(rows * positions - 1, rows) : {}),
    ...(options.matchHidden ? hiddenMatchProbe(rows, positions, decoder.hiddenSize) : {}),
  }));
  const loss = LOSS_OUTPUTS[options.matchHidden ? 'objective' : 'loss'];
  const leaves = gates.filter(({ key }) => options.trained?.(key) ?? true);
  const task = {
    decoder: gated,
    loss,
    gates: new Set(gates.map(({ name }) => name)),
    leaves,
    probes,
    runOptions: options.runOptions ?? {},
  };
  const opened = await openGradient(task);
  const provider = options.runOptions?.provider ?? 'cpu';
  const gradientModel = new GradientModel({
    ...opened,
    decoder,
    gates,
    kind,
    mostTokens: provider === 'cpu' ? TOKENS_AT_ONCE : Infinity,
  });
  if (provider === 'cpu') return gradientModel;
  try {
    await holdAgainstCpu(gradientModel, decoder, options, () => openGradientModel(decoder, onCpu(options)));
  } catch (error) {
    await gradientModel.release();
    throw error;
  }
  return gradientModel;
}

function onCpu(options: GradientModelOptions): GradientModelOptions {
  const { segments: _, ...runOptions } = options.runOptions ?? {};
  return { ...options, runOptions: { ...runOptions, provider: 'cpu' } };
}

/** Feeds of a size for finding out types, but for the gates. */
export function probeFeeds(decoder: Decoder, rows: number, positions: number): Feeds {
  const tokens = Array.from({ length: rows * positions }, (_, index) => index % decoder.vocabularySize);
  const lossTokens = rows * positions - 1;
  return {
    ...tokenFeeds(decoder, { rows, positions, ids: tokens }),
    ...emptyCache(decoder, rows),
    ...(sharesTokens(decoder) ? distinctProbe(rows, positions) : {}),
    [LOSS_INPUTS.positions]: int64Tensor(
      tokens.slice(0, lossTokens).map((_, index) => index),
      [lossTokens],
    ),
    [LOSS_INPUTS.labels]: int64Tensor(tokens.slice(0, lossTokens), [lossTokens]),
    [LOSS_INPUTS.weights]: float32Tensor(new Float32Array(lossTokens), [lossTokens]),
  };
}
