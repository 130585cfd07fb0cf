/** Deleting blocks from a decoder's graph, so that the residual stream passes by where they were. */
import type { BlockName } from '../../../schema/blocks.js';
import { UserError } from '../../../schema/errors.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { describeNode, valuesRead } from '../../onnx/graph/node.js';
import { Operators } from '../../onnx/graph/operators.js';
import { walk } from '../../onnx/graph/walk.js';
import { copyModel } from '../../onnx/file/model-file.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { matchBlocks, matchPast } from './counterpart.js';
import { DataFlow, liveNodes, readsShapeOnly } from '../read/data-flow.js';
import { blockName, blocksOf, type Block, type Decoder } from '../decoder.js';
import { pastNames } from '../read/kv-cache.js';
import { rereadDecoder } from '../read/read-decoder.js';

/**
 * A copy of the decoder without some blocks: without their nodes, weights, and cache inputs and outputs. It computes
 * what the original does with those blocks' results at zero. Layers and cache entries keep their numbers.
 * @throws UserError if a block does not exist, no attention would be left, or other nodes need what is deleted
 */
export function deleteBlocks(original: Decoder, skipped: readonly BlockName[]): Decoder {
  const names = new Set(skipped);
  refuseImpossible(original, names);
  const model = copyModel(original.model);
  const copy = rereadDecoder(model, original);
  const { graph } = copy;
  const blocks = blocksOf(copy);
  const deleted = blocks.filter((block) => names.has(blockName(block)));
  const kept = blocks.filter((block) => !names.has(blockName(block)));
  const readBefore = graph.inputs.filter((input) => graph.consumers(input.name).length > 0);
  graph.removeOutputs(new Set(deleted.flatMap((block) => block.outputs)));
  for (const block of deleted) passBy(copy, block);
  rewireShapes(graph, deleted, kept);
  const pasts = deleted.flatMap((block) => (block.cache ? pastNames(block.cache) : []));
  refuseLivePasts(graph, deleted);
  graph.removeInputs(new Set(pasts));
  graph.removeUnused();
  const unread = readBefore.map((input) => input.name).filter((name) => graph.consumers(name).length === 0);
  const ownInputs = new Set(unread.filter((name) => !isGeneralInput(copy, name)));
  graph.removeInputs(ownInputs);
  graph.sortNodes();
  return rereadDecoder(model, original, names);
}

function refuseImpossible(decoder: Decoder, names: ReadonlySet<BlockName>): void {
  const blocks = blocksOf(decoder);
  const known = new Set(blocks.map(blockName));
  const unknown = [...names].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new UserError(`The model has no block '${unknown}'; its blocks are ${[...known].join(', ')}.`);
  }
  const mixture = blocks.find((block) => block.mixture && names.has(blockName(block)));
  if (mixture) {
    throw new UserError(
      `The block '${blockName(mixture)}' is a mixture of experts (the ${describeNode(mixture.mixture!)}), which Hopscotch does not skip; choose attention blocks.`,
    );
  }
  const convolution = blocks.find((block) => block.kind === 'convolution' && names.has(blockName(block)));
  if (convolution) {
    throw new UserError(
      `The block '${blockName(convolution)}' is a convolution, which Hopscotch does not skip; choose attention or MLP blocks.`,
    );
  }
  if (blocks.every((block) => block.kind !== 'attention' || names.has(blockName(block)))) {
    throw new UserError('At least one attention block must stay; choose fewer blocks to skip.');
  }
}

function isGeneralInput(decoder: Decoder, name: string): boolean {
  const { tokens, attentionMask, positions, keptLogits, others } = decoder.inputs;
  return [tokens, attentionMask, positions, keptLogits, ...others].includes(name);
}

/** Puts the other operand of the addition in the addition's place. */
function passBy(decoder: Decoder, block: Block): void {
  const { graph } = decoder;
  const { node, operand } = findAddition(decoder, block);
  const rest = node.input[1 - operand]!;
  const sum = node.output[0]!;
  graph.removeNodes(new Set([node]));
  if (graph.isOutput(sum)) {
    const op = new Operators(graph, sum);
    op.name(op.identity(rest), sum);
  }
  graph.replaceUses(sum, rest, (reader) => reader.output[0] === sum);
}

/**
 * The addition that the block enters now: after the deletion of the other block of a parallel step, its result goes
 * on (through Casts and factors) to the next Add of the step.
 */
function findAddition(decoder: Decoder, block: Block): { node: NodeProto; operand: number } {
  const { graph } = decoder;
  const step = decoder.steps.find((candidate) => candidate.blocks.includes(block))!;
  const additions = new Set(step.additions);
  const values = walk([block.output], (value) =>
    graph.consumers(value).flatMap((node) => (readsShapeOnly(node) ? [] : node.output)),
  );
  for (const value of values) {
    const node = graph.consumers(value).find((reader) => additions.has(reader));
    if (node) return { node, operand: node.input.indexOf(value) };
  }
  throw new RangeError(`The result of ${blockName(block)} does not enter the residual stream`);
}

/** Makes nodes that stay, and read only the shape of something deleted, read it from a block that stays. */
function rewireShapes(graph: Graph, deleted: readonly Block[], kept: readonly Block[]): void {
  const gone = new Set(deleted.flatMap((block) => [...block.nodes]));
  const flow = new DataFlow(graph);
  for (const block of deleted) {
    const twins = kept.filter((candidate) => candidate.kind === block.kind);
    const made = new Set([...block.nodes].flatMap((node) => node.output));
    const live = liveNodes(graph);
    for (const node of [...live].filter((candidate) => readsShapeOnly(candidate) && !gone.has(candidate))) {
      const value = node.input[0]!;
      if (!made.has(value)) continue;
      const other = firstDefined(twins, (twin) => matchBlocks(graph, block, twin).get(value));
      if (other !== undefined) graph.setInput(node, 0, other);
    }
    for (const past of block.cache ? pastNames(block.cache) : []) {
      if (!leadsToShapesOnly(flow, past, live)) continue;
      const other = firstDefined(twins, (twin) =>
        block.cache && twin.cache ? matchPast(graph, past, block.cache, twin.cache) : undefined,
      );
      if (other !== undefined) graph.replaceUses(past, other);
    }
  }
}

/** Whether nothing that is needed depends on the content of the value. */
function leadsToShapesOnly(flow: DataFlow, value: string, live: ReadonlySet<NodeProto>): boolean {
  const content = flow.dependents([value]);
  return [...content].every(
    (node) => !live.has(node) || !node.output.some((name) => flow.graph.isOutput(name)),
  );
}

function refuseLivePasts(graph: Graph, deleted: readonly Block[]): void {
  const live = [...liveNodes(graph)];
  for (const block of deleted) {
    const name = blockName(block);
    for (const past of block.cache ? pastNames(block.cache) : []) {
      const reader = live.find((node) => valuesRead(node).includes(past));
      if (reader) {
        throw new UserError(
          `The block '${name}' cannot be skipped: the ${describeNode(reader)} reads its cache input '${past}'.`,
        );
      }
    }
    const kept = live.find((node) => block.nodes.has(node));
    if (kept) {
      throw new UserError(
        `The block '${name}' cannot be skipped: other parts of the model need the shape of what its ${describeNode(kept)} makes, and no other block has the same.`,
      );
    }
  }
}

function firstDefined<T, R>(items: readonly T[], map: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = map(item);
    if (result !== undefined) return result;
  }
  return undefined;
}
