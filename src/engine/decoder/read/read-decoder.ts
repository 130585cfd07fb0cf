/** Reads a decoder-only language model's graph: from an ONNX model to its embedding, blocks, cache and head. */
import type { BlockName } from '../../../schema/blocks.js';
import { Graph } from '../../onnx/graph/graph.js';
import { inlineFunctions } from '../../onnx/graph/inline-functions.js';
import { copyModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { kindOf, readBlock, type BlockContext } from './block.js';
import { DataFlow, liveNodes } from './data-flow.js';
import { blockName, blocksOf, type Block, type Decoder, type ResidualStep } from '../decoder.js';
import { elementType } from '../element-type.js';
import { contextLength } from './context-length.js';
import { declareCacheShapes, isOpenCache } from './cache-shapes.js';
import { findTokenEmbedding } from './find-embedding.js';
import { readHead } from './head.js';
import { rotaryBorder } from './rotary-tables.js';
import { classifyInputs } from './inputs.js';
import { pastNames } from './kv-cache.js';
import { weightsOf } from './own-nodes.js';
import { followStream, type ResidualStream } from './residual-stream.js';
import { repeatRotaryRows, turnedAlike } from './rotary-rows.js';
import { holdsTables, shareTables } from './share-tables.js';
import { isFusedNorm, splitNorms } from './split-norms.js';
import { unmerge } from './unmerge.js';
import { refuseUnsupported } from './unsupported.js';

/**
 * Finds by data flow alone, never by the names of nodes, what the parts of a decoder's graph are.
 * @param original is not changed, and must not be while the decoder is in use
 * @throws UserError with what was expected and where the graph differs, if it is not a decoder that can be read
 */
export function readDecoder(original: OnnxModel): Decoder {
  const source = unmerge(inlineFunctions(original));
  refuseUnsupported(source);
  const isChanged =
    source.graph.node.some((node) => isFusedNorm(node) || holdsTables(node)) ||
    source.graph.input.some(isOpenCache) ||
    turnedAlike(new Graph(source.graph)).length > 0;
  const model = isChanged ? copyModel(source) : source;
  if (isChanged) shareTables(model.graph);
  const graph = new Graph(model.graph);
  declareCacheShapes(graph, model.folder);
  repeatRotaryRows(graph);
  const fusedNorms = splitNorms(graph);
  const flow = new DataFlow(graph);
  const token = findTokenEmbedding(flow);
  const stream = followStream(flow, token.output);
  const head = readHead(flow, stream.end, model.folder);
  const context = { folder: model.folder, stream: stream.values, live: liveNodes(graph) };
  const steps = readSteps(flow, stream, context);
  const blocks = steps.flatMap((step) => step.blocks);
  const cache = blocks.flatMap((block) => (block.cache ? pastNames(block.cache) : []));
  const attention = new Set(
    stream.steps.flatMap((step) =>
      step.blocks.flatMap((block) => (block.attention ? [...block.region] : [])),
    ),
  );
  const beginning = flow.sources([stream.beginning], new Set()).nodes;
  const dependents = flow.dependents([stream.end]);
  const inputs = classifyInputs(flow, token.tokens, cache, { attention, head: dependents });
  return {
    model,
    fusedNorms,
    graph,
    inputs,
    embedding: stream.beginning,
    embeddingWeights: weightsOf(flow, beginning),
    hiddenSize: hiddenSizeOf(blocks),
    streamType: elementType(graph, stream.beginning),
    vocabularySize: head.projection.channels,
    embeddingRows: token.vocabulary,
    contextLength: contextLength(flow, token.tokens, inputs.positions),
    rotaryBorder: rotaryBorder(flow),
    steps,
    layerCount: Math.max(...blocks.map((block) => block.layer)) + 1,
    finalNorm: head.finalNorm,
    cut: head.cut,
    headNodes: head.nodes,
    headWeights: weightsOf(flow, new Set(head.nodes)),
    headProjection: head.projection,
    logits: head.logits,
  };
}

/**
 * Reads an edited copy of a decoder's model. Layers keep their numbers; inputs that the original does not have (gates)
 * are not among the inputs that a caller must know.
 * @param removed blocks that the copy lacks
 */
export function rereadDecoder(
  model: OnnxModel,
  original: Decoder,
  removed: ReadonlySet<BlockName> = new Set(),
): Decoder {
  const decoder = readDecoder(model);
  const expected = blocksOf(original).filter((block) => !removed.has(blockName(block)));
  const found = blocksOf(decoder);
  if (
    found.length !== expected.length ||
    found.some((block, index) => block.kind !== expected[index]!.kind)
  ) {
    throw new Error(
      `The edited graph reads as ${found.map(blockName).join(', ')}; ${expected.map(blockName).join(', ')} was expected`,
    );
  }
  found.forEach((block, index) => (block.layer = expected[index]!.layer));
  for (const step of decoder.steps) step.layer = step.blocks[0]!.layer;
  const known = new Set(original.inputs.others);
  const others = decoder.inputs.others.filter((name) => known.has(name));
  const { layerCount, fusedNorms } = original;
  return { ...decoder, layerCount, fusedNorms, inputs: { ...decoder.inputs, others } };
}

function readSteps(flow: DataFlow, stream: ResidualStream, context: BlockContext): ResidualStep[] {
  const layers = new LayerCounter();
  const outputs = outputsOfSteps(flow, stream);
  return stream.steps.map((step) => {
    const sorted = step.blocks.toSorted(
      (a, b) => Number(b.attention !== undefined) - Number(a.attention !== undefined),
    );
    const blocks = sorted.map((block, index) => {
      const kind = kindOf(block);
      return readBlock(
        flow,
        step,
        block,
        { kind, layer: layers.next(kind) },
        index === 0 ? (outputs.get(step.input) ?? []) : [],
        context,
      );
    });
    return {
      layer: blocks[0]!.layer,
      input: step.input,
      output: step.output,
      addition: step.additions.at(-1)!,
      additions: step.additions,
      inputUse: step.inputUse,
      blocks,
    };
  });
}

/** What the first block with one last projection adds: attention has one in every model. */
function hiddenSizeOf(blocks: readonly Block[]): number {
  return blocks.find((block) => block.lastProjection)!.lastProjection!.channels;
}

/** Graph outputs that are made inside a step, by the value of the stream that the step reads. */
function outputsOfSteps(flow: DataFlow, stream: ResidualStream): Map<string, string[]> {
  const inputs = stream.steps.map((step) => step.input);
  const found = new Map<string, string[]>();
  for (const { name } of flow.graph.outputs) {
    if (stream.values.has(name)) continue;
    const { reached } = flow.sources([name], stream.values);
    const last = inputs.findLast((input) => reached.has(input));
    if (last === undefined || reached.has(stream.end)) continue;
    found.set(last, [...(found.get(last) ?? []), name]);
  }
  return found;
}

/** Numbers layers: attention or a convolution begins one, and so does an MLP whose predecessor was an MLP (its attention is gone). */
class LayerCounter {
  #layer = -1;
  #hasMlp = false;

  next(kind: Block['kind']): number {
    if (kind !== 'mlp' || this.#layer < 0 || this.#hasMlp) {
      this.#layer += 1;
      this.#hasMlp = false;
    }
    if (kind === 'mlp') this.#hasMlp = true;
    return this.#layer;
  }
}
