/** A decoder's description as plain data, for people and for the app. */
import type { BlockName, WeightTotals, DecoderDescription, BlockDescription } from '../../schema/blocks.js';
import { DataType, dataTypeName, elementBits, isFloatingPoint } from '../onnx/graph/data-types.js';
import { initializersOf, opsetVersion } from '../onnx/file/model-file.js';
import type { TensorProto } from '../onnx/file/onnx_pb.js';
import { elementCount, tensorByteLength, tensorDims } from '../onnx/graph/tensor.js';
import { declaredDims, declaredType } from '../onnx/graph/value-info.js';
import { DataFlow } from './read/data-flow.js';
import { blockName, blocksOf, isSkippable, type Block, type Decoder } from './decoder.js';
import { pastNames } from './read/kv-cache.js';
import { weightsOf } from './read/own-nodes.js';

export interface Savings extends WeightTotals {
  /** Part of the bytes of all weights, 0 to 1. */
  share: number;
  cacheBytesPerToken: number | undefined;
  /** Part of the cache, 0 to 1; undefined without a cache of known shape. */
  cacheShare: number | undefined;
}

export function describeDecoder(decoder: Decoder): DecoderDescription {
  const tensors = allTensors(decoder);
  const total = totals(tensors);
  const blocks = blocksOf(decoder).map((block) => describeBlock(decoder, block, total.bytes));
  const embedding = totals(decoder.embeddingWeights);
  const head = totals([
    ...weightsOf(new DataFlow(decoder.graph), new Set(decoder.finalNorm.nodes)),
    ...decoder.headWeights,
  ]);
  const parts = [...blocks, embedding, head];
  return {
    producer: [decoder.model.proto.producerName, decoder.model.proto.producerVersion]
      .filter(Boolean)
      .join(' '),
    opset: opsetVersion(decoder.model) ?? 0,
    layers: decoder.layerCount,
    hiddenSize: decoder.hiddenSize,
    vocabularySize: decoder.vocabularySize,
    parallel: decoder.steps.some((step) => step.blocks.length > 1),
    blocks,
    embedding,
    head,
    shared: {
      parameters: total.parameters - sum(parts.map((part) => part.parameters)),
      bytes: total.bytes - sum(parts.map((part) => part.bytes)),
    },
    total,
    precision: precisionOf(tensors, total.bytes),
    hasCache: decoder.inputs.cache.length > 0,
    cacheBytesPerToken: sumKnown(blocks.map((block) => block.cacheBytesPerToken)),
  };
}

/** What a model without the given blocks saves. */
export function savingsOf(description: DecoderDescription, skipped: readonly BlockName[]): Savings {
  const names = new Set(skipped);
  const blocks = description.blocks.filter((block) => names.has(block.name));
  const bytes = sum(blocks.map((block) => block.bytes));
  const whole = description.cacheBytesPerToken;
  const cache =
    whole === undefined ? undefined : (sumKnown(blocks.map((block) => block.cacheBytesPerToken)) ?? 0);
  return {
    parameters: sum(blocks.map((block) => block.parameters)),
    bytes,
    share: description.total.bytes === 0 ? 0 : bytes / description.total.bytes,
    cacheBytesPerToken: cache,
    cacheShare: cache === undefined || !whole ? undefined : cache / whole,
  };
}

function describeBlock(decoder: Decoder, block: Block, allBytes: number): BlockDescription {
  const weights = totals(block.weights);
  return {
    name: blockName(block),
    layer: block.layer,
    kind: block.kind,
    skippable: isSkippable(block),
    ...weights,
    share: allBytes === 0 ? 0 : weights.bytes / allBytes,
    cacheBytesPerToken: cacheBytes(decoder, block),
  };
}

/** Heads x head size x element size, for keys and for values, from the declared shapes of the cache inputs. */
function cacheBytes(decoder: Decoder, block: Block): number | undefined {
  if (!block.cache || block.cache.layout === 'state') return undefined;
  const perInput = pastNames(block.cache).map((name) => {
    const input = decoder.graph.input(name)!;
    const dims = declaredDims(input) ?? [];
    const [heads, , size] = dims.slice(-3);
    const type = declaredType(input);
    if (typeof heads !== 'number' || typeof size !== 'number' || type === undefined) return undefined;
    return (heads * size * elementBits(type)) / 8;
  });
  if (perInput.includes(undefined)) return undefined;
  const bytes = sumKnown(perInput)!;
  return block.cache.layout === 'packed' ? 2 * bytes : bytes;
}

/** Initializers and tensors of Constant nodes. */
function allTensors(decoder: Decoder): TensorProto[] {
  const { graph } = decoder;
  const constants = graph.nodes.filter((node) => node.opType === 'Constant');
  return [
    ...initializersOf(decoder.model.graph),
    ...constants.flatMap((node) => graph.constant(node.output[0]!) ?? []),
  ];
}

function totals(tensors: readonly TensorProto[]): WeightTotals {
  return {
    parameters: sum(tensors.filter(isParameter).map((tensor) => elementCount(tensorDims(tensor)))),
    bytes: sum(tensors.map(tensorByteLength)),
  };
}

/** Weights are vectors and matrices; scalars, integer vectors and boolean masks are settings of the computation. */
function isParameter(tensor: TensorProto): boolean {
  if (tensor.dataType === DataType.BOOL) return false;
  return tensor.dims.length >= 1 && (isFloatingPoint(tensor.dataType) || tensor.dims.length >= 2);
}

function precisionOf(tensors: readonly TensorProto[], allBytes: number): DecoderDescription['precision'] {
  const bytes = new Map<DataType, number>();
  for (const tensor of tensors.filter(isParameter)) {
    bytes.set(tensor.dataType, (bytes.get(tensor.dataType) ?? 0) + tensorByteLength(tensor));
  }
  return [...bytes]
    .map(([type, size]) => ({
      type: dataTypeName(type),
      bytes: size,
      share: allBytes === 0 ? 0 : size / allBytes,
    }))
    .toSorted((a, b) => b.bytes - a.bytes);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** The sum of those that are known, or undefined if none is. */
function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : sum(known);
}
