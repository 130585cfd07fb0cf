/** Folds trained scales into norms and last projections, so that they cost nothing at run time (docs/method.md, Folding). */
import type { BlockName } from '../../schema/blocks.js';
import {
  blockName,
  type Block,
  type Decoder,
  type FirstProjection,
  type Norm,
  type Projection,
  type Use,
} from '../decoder/decoder.js';
import { deleteBlocks } from '../decoder/edit/delete-blocks.js';
import { addToStream, type StreamPlace } from '../decoder/edit/stream-offsets.js';
import { float, setAttribute } from '../onnx/graph/attributes.js';
import { floatTensor, tensorDims } from '../onnx/graph/tensor.js';
import { normName, stepName, type ScaleKey, type Scales } from '../decoder/scales.js';
import { spreadOverChannels } from './quantisation-scales.js';
import { multiplyBy, scaleConstant } from './scale-constant.js';
import type { WeightEdit } from './scale-weight.js';
import { UnwritableScales } from './unwritable-scales.js';

export interface FoldedDecoder {
  decoder: Decoder;
  /** Changes of weights by initializer name, made when the weights are written or by `applyWeightEdits`. */
  weightEdits: ReadonlyMap<string, WeightEdit>;
}

/**
 * Deletes the skipped blocks and folds the scales of the others. The residual stream X of the gated model is c * x of
 * the folded one's x: a norm that reads it gets eps / c^2 (products that read it without a norm get c), a block's last
 * projection b / (s * c), then c := s * c. What a norm gives is scaled in its gain and bias.
 * @throws UnwritableScales if a residual scale is not positive or a projection's weight cannot be scaled
 */
export function foldScales(original: Decoder, skipped: readonly BlockName[], scales: Scales): FoldedDecoder {
  const decoder = deleteBlocks(original, skipped);
  const edits = new Map<string, WeightEdit>();
  const adjusted = new Set<Norm['nodes'][number]>();
  const scaledNorms = new Set<Norm['nodes'][number]>();
  const offsets: { place: StreamPlace; values: Float64Array }[] = [];
  let factor = 1;
  const kept = decoder.steps.map((step) => ({ step, name: stepName(original, step) }));
  let next = 0;
  for (const originalStep of original.steps) {
    const name = blockName(originalStep.blocks[0]!);
    const current = kept[next];
    if (current?.name === name) {
      next += 1;
      const residual = positiveResidual(scales, name);
      for (const block of current.step.blocks) {
        if (block.norm) {
          divideEpsilon(decoder, block.norm, factor, adjusted);
          const gain = scales.get(`gain ${normName(original, blockName(block))}`);
          scaleNorm(decoder, block.norm, gain, scaledNorms, edits);
        }
        scaleBeginning(decoder, block.firstProjections, factor, edits);
        scaleResult(decoder, block, blockFactors(scales, block, residual * factor), edits);
      }
      factor *= residual;
    }
    const offset = scales.get(`offset ${name}`);
    if (offset?.some((value) => value !== 0)) {
      const place: StreamPlace = next === 0 ? 'embedding' : { afterStep: next - 1 };
      offsets.push({ place, values: Float64Array.from(offset, (value) => value / factor) });
    }
  }
  divideEpsilon(decoder, decoder.finalNorm, factor, adjusted);
  scaleNorm(decoder, decoder.finalNorm, scales.get('gain final'), scaledNorms, edits);
  return { decoder: addOffsets(decoder, offsets), weightEdits: edits };
}

function positiveResidual(scales: Scales, name: BlockName): number {
  const residual = scales.get(`residual ${name}`)?.[0] ?? 1;
  if (residual > 0) return residual;
  throw new UnwritableScales(
    `The residual scale of ${name} came out as ${residual}, and only positive ones can be folded`,
    'export with explicit scales, or train with a smaller learning rate',
  );
}

function blockFactors(scales: Scales, block: Block, divisor: number): Float64Array {
  const key: ScaleKey = `block ${blockName(block)}`;
  return Float64Array.from(scales.get(key) ?? [1], (value) => value / divisor);
}

function divideEpsilon(
  decoder: Decoder,
  norm: Norm,
  factor: number,
  adjusted: Set<Norm['nodes'][number]>,
): void {
  const { epsilon } = norm;
  const node = epsilon.kind === 'attribute' ? epsilon.node : epsilon.use.node;
  if (factor === 1 || adjusted.has(node)) return;
  adjusted.add(node);
  const value = epsilon.value / factor ** 2;
  if (epsilon.kind === 'attribute') {
    setAttribute(node, epsilon.attribute, float(value));
    return;
  }
  const { graph } = decoder;
  const before = graph.constant(node.input[epsilon.use.index]!)!;
  const name = graph.freshName('hopscotch.epsilon');
  graph.addInitializer(floatTensor(name, tensorDims(before), [value], before.dataType));
  graph.setInput(node, epsilon.use.index, name);
}

/** Products that read the stream want it as it was; steps that it is rounded to in front of them become as much smaller. */
function scaleBeginning(
  decoder: Decoder,
  projections: readonly FirstProjection[],
  factor: number,
  edits: Map<string, WeightEdit>,
): void {
  if (factor === 1) return;
  const rounding = new Set(projections.flatMap((first) => first.rounding ?? []));
  for (const node of rounding) {
    const layout = { channels: 1, outputChannelFirst: false };
    scaleConstant(decoder, node, { node, index: 1 }, Float64Array.of(1 / factor), layout, edits);
  }
  for (const first of projections)
    scaleWeightsOf(decoder, first, [first.weightUse], Float64Array.of(factor), edits);
}

function scaleResult(
  decoder: Decoder,
  block: Block,
  factors: Float64Array,
  edits: Map<string, WeightEdit>,
): void {
  const { lastProjection, outputUse } = block;
  if (lastProjection && !lastProjection.isRounded) {
    const { weightUse, biasUse } = lastProjection;
    scaleWeightsOf(decoder, lastProjection, [weightUse, ...(biasUse ? [biasUse] : [])], factors, edits);
  } else if (factors.some((value) => value !== 1)) {
    // A mixture of experts has no single weight to fold into, and rounding behind a product would cut the scaled one off.
    multiplyBy(decoder, outputUse, factors);
  }
}

function scaleWeightsOf(
  decoder: Decoder,
  projection: Projection,
  uses: readonly Use[],
  factors: Float64Array,
  edits: Map<string, WeightEdit>,
): void {
  if (factors.every((value) => value === 1)) return;
  const { node, outputChannelFirst, channels, biasUse } = projection;
  spreadOverChannels(decoder, projection, factors);
  for (const use of uses) {
    const layout = { channels, outputChannelFirst: outputChannelFirst && use !== biasUse };
    scaleConstant(decoder, node, use, factors, layout, edits);
  }
}

/** Scales what a norm gives, once where two blocks read it. */
function scaleNorm(
  decoder: Decoder,
  norm: Norm,
  factors: Float32Array | undefined,
  scaled: Set<Norm['nodes'][number]>,
  edits: Map<string, WeightEdit>,
): void {
  const { gain, bias } = norm;
  if (!gain || !factors || scaled.has(gain.node) || factors.every((value) => value === 1)) return;
  scaled.add(gain.node);
  for (const use of bias ? [gain, bias] : [gain]) {
    const layout = { channels: factors.length, outputChannelFirst: false };
    scaleConstant(decoder, gain.node, use, Float64Array.from(factors), layout, edits);
  }
}

function addOffsets(
  decoder: Decoder,
  offsets: readonly { place: StreamPlace; values: Float64Array }[],
): Decoder {
  let result = decoder;
  for (const { place, values } of mergeByPlace(offsets)) {
    const { graph } = result;
    const name = graph.freshName('hopscotch.offset');
    const type = result.streamType;
    graph.addInitializer(floatTensor(name, [result.hiddenSize], values, type));
    result = addToStream(result, place, name);
  }
  return result;
}

/** Blocks skipped one after another leave one vector behind: the sum of theirs. */
function mergeByPlace(
  offsets: readonly { place: StreamPlace; values: Float64Array }[],
): { place: StreamPlace; values: Float64Array }[] {
  const merged = new Map<string, { place: StreamPlace; values: Float64Array }>();
  for (const { place, values } of offsets) {
    const key = JSON.stringify(place);
    const before = merged.get(key);
    if (before) before.values = before.values.map((value, index) => value + values[index]!);
    else merged.set(key, { place, values });
  }
  return [...merged.values()];
}

/** Makes the edits in memory. */
export function applyWeightEdits(folded: FoldedDecoder): Decoder {
  const { decoder, weightEdits } = folded;
  for (const [name, edit] of weightEdits) {
    const tensor = decoder.graph.initializer(name);
    if (tensor) decoder.graph.replaceInitializer(edit(tensor, decoder.model.folder));
  }
  return decoder;
}
