/** Deleting blocks from a decoder's graph, so that the residual stream passes by where they were. */
import { UserError } from '../../../schema/errors.js';
import type { Graph } from '../../onnx/graph/graph.js';
import { describeNode, valuesRead } from '../../onnx/graph/node.js';
import { copyModel } from '../../onnx/file/model-file.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { matchBlocks, matchPast } from './counterpart.js';
import { DataFlow, liveNodes, readsShapeOnly } from '../read/data-flow.js';
import { blockName, branchesOf, type BlockName, type Branch, type Decoder } from '../decoder.js';
import { pastNames } from '../read/kv-cache.js';
import { rereadDecoder } from '../read/read-decoder.js';

/**
 * A copy of the decoder without some blocks: without their nodes, weights, and cache inputs and outputs. It computes
 * what the original does with those blocks' results at zero. Layers and cache entries keep their numbers.
 * @throws UserError if a block does not exist, no attention would be left, or other nodes need what is deleted
 */
export function deleteBranches(original: Decoder, skipped: readonly BlockName[]): Decoder {
  const names = new Set(skipped);
  refuseImpossible(original, names);
  const model = copyModel(original.model);
  const copy = rereadDecoder(model, original);
  const { graph } = copy;
  const branches = branchesOf(copy);
  const deleted = branches.filter((branch) => names.has(blockName(branch)));
  const kept = branches.filter((branch) => !names.has(blockName(branch)));
  const readBefore = graph.inputs.filter((input) => graph.consumers(input.name).length > 0);
  graph.removeOutputs(new Set(deleted.flatMap((branch) => branch.outputs)));
  for (const branch of deleted) passBy(copy, branch);
  rewireShapes(graph, deleted, kept);
  const pasts = deleted.flatMap((branch) => (branch.cache ? pastNames(branch.cache) : []));
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
  const branches = branchesOf(decoder);
  const known = new Set(branches.map(blockName));
  const unknown = [...names].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new UserError(`The model has no block '${unknown}'; its blocks are ${[...known].join(', ')}.`);
  }
  const mixture = branches.find((branch) => branch.mixture && names.has(blockName(branch)));
  if (mixture) {
    throw new UserError(
      `The block '${blockName(mixture)}' is a mixture of experts (the ${describeNode(mixture.mixture!)}), which Hopscotch does not skip; choose attention blocks.`,
    );
  }
  if (branches.every((branch) => branch.kind !== 'attention' || names.has(blockName(branch)))) {
    throw new UserError('At least one attention block must stay; choose fewer blocks to skip.');
  }
}

function isGeneralInput(decoder: Decoder, name: string): boolean {
  const { tokens, attentionMask, positions, others } = decoder.inputs;
  return [tokens, attentionMask, positions, ...others].includes(name);
}

/** Puts the other operand of the addition in the addition's place. */
function passBy(decoder: Decoder, branch: Branch): void {
  const { graph } = decoder;
  const { node, operand } = findAddition(decoder, branch);
  const rest = node.input[1 - operand]!;
  const sum = node.output[0]!;
  graph.removeNodes(new Set([node]));
  if (graph.isOutput(sum)) graph.addNode('Identity', [rest], {}, { outputs: [sum], label: sum });
  graph.replaceUses(sum, rest, (reader) => reader.output[0] === sum);
}

/**
 * The addition that the branch enters now: after the deletion of the other branch of a parallel step, its result goes
 * on (through Casts and factors) to the next Add of the step.
 */
function findAddition(decoder: Decoder, branch: Branch): { node: NodeProto; operand: number } {
  const { graph } = decoder;
  const step = decoder.steps.find((candidate) => candidate.branches.includes(branch))!;
  const additions = new Set(step.additions);
  const queue = [branch.output];
  for (let value = queue.shift(); value !== undefined; value = queue.shift()) {
    for (const node of graph.consumers(value)) {
      if (additions.has(node)) return { node, operand: node.input.indexOf(value) };
      if (!readsShapeOnly(node)) queue.push(...node.output);
    }
  }
  throw new RangeError(`The result of ${blockName(branch)} does not enter the residual stream`);
}

/** Makes nodes that stay, and read only the shape of something deleted, read it from a block that stays. */
function rewireShapes(graph: Graph, deleted: readonly Branch[], kept: readonly Branch[]): void {
  const gone = new Set(deleted.flatMap((branch) => [...branch.nodes]));
  const flow = new DataFlow(graph);
  for (const branch of deleted) {
    const twins = kept.filter((candidate) => candidate.kind === branch.kind);
    const made = new Set([...branch.nodes].flatMap((node) => node.output));
    const live = liveNodes(graph);
    for (const node of [...live].filter((candidate) => readsShapeOnly(candidate) && !gone.has(candidate))) {
      const value = node.input[0]!;
      if (!made.has(value)) continue;
      const other = firstDefined(twins, (twin) => matchBlocks(graph, branch, twin).get(value));
      if (other !== undefined) graph.setInput(node, 0, other);
    }
    for (const past of branch.cache ? pastNames(branch.cache) : []) {
      if (!leadsToShapesOnly(flow, past, live)) continue;
      const other = firstDefined(twins, (twin) =>
        branch.cache && twin.cache ? matchPast(graph, past, branch.cache, twin.cache) : undefined,
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

function refuseLivePasts(graph: Graph, deleted: readonly Branch[]): void {
  const live = [...liveNodes(graph)];
  for (const branch of deleted) {
    const name = blockName(branch);
    for (const past of branch.cache ? pastNames(branch.cache) : []) {
      const reader = live.find((node) => valuesRead(node).includes(past));
      if (reader) {
        throw new UserError(
          `The block '${name}' cannot be skipped: the ${describeNode(reader)} reads its cache input '${past}'.`,
        );
      }
    }
    const kept = live.find((node) => branch.nodes.has(node));
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
