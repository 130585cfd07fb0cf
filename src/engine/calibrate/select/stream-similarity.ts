/** How little each block and each layer of the original turns the residual stream, from forward passes alone. */
import type { BlockName } from '../../../schema/blocks.js';
import { blocksOf, blockName, type Block, type Decoder, type ResidualStep } from '../../decoder/decoder.js';
import { forgetPast } from '../../decoder/read/fused-attention.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import { upgradeOpset } from '../../onnx/opset/upgrade-opset.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Operators } from '../../onnx/graph/operators.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { openDecoder } from '../../runtime/segmented-model.js';
import type { RunOptions } from '../../runtime/session.js';
import { float32Values } from '../../runtime/tensors.js';
import type { LossBatch } from '../../loss/loss-batch.js';

export interface StreamSimilarity {
  /** Mean cosine between the stream before a block and the same with the block's result added. */
  byBlock: ReadonlyMap<BlockName, number>;
  /** Mean cosine between the stream before a layer and after it, by layer. */
  layers: ReadonlyMap<number, number>;
}

/** Means over all tokens of the batches, prompts included. One forward pass a batch. */
export async function measureSimilarity(
  original: Decoder,
  batches: readonly LossBatch[],
  runOptions: RunOptions | undefined,
  onBatch: () => void,
): Promise<StreamSimilarity> {
  const decoder = rereadDecoder(upgradeOpset(original.model), original);
  const { graph } = decoder;
  const wanted = new Set(graph.inputs.map((input) => input.name));
  const outputs = addSimilarities(decoder);
  const model = await openDecoder(decoder, runOptions);
  const totals = new Map(outputs.map(({ output }) => [output, 0]));
  let tokens = 0;
  try {
    const feeds = batches.map((batch) =>
      Object.fromEntries(Object.entries(batch.feeds).filter(([name]) => wanted.has(name))),
    );
    const open = [...batches];
    for await (const results of model.runEach(feeds)) {
      const batch = open.shift()!;
      for (const { output } of outputs) {
        const cosines = float32Values(results[output]!);
        totals.set(
          output,
          cosines.reduce(
            (sum, cosine, place) => (batch.mask[place] ? sum + cosine : sum),
            totals.get(output)!,
          ),
        );
      }
      tokens += batch.mask.reduce((sum, isToken) => sum + isToken, 0);
      onBatch();
    }
  } finally {
    await model.release();
  }
  const byBlock = new Map<BlockName, number>();
  const layers = new Map<number, number>();
  for (const { output, of } of outputs) {
    const mean = totals.get(output)! / tokens;
    if (typeof of === 'number') layers.set(of, mean);
    else byBlock.set(of, mean);
  }
  return { byBlock, layers };
}

/** Makes the graph's only outputs the cosines, float32 [rows, positions] each. */
function addSimilarities(decoder: Decoder): { output: string; of: BlockName | number }[] {
  const { graph, steps } = decoder;
  const op = new Operators(graph, 'hopscotch.similarity');
  const float = (value: string) => op.cast(value, DataType.FLOAT);
  const dot = (a: string, b: string) => op.reduceSum(op.mul(a, b), [-1], false);
  const cosine = (a: string, b: string) => op.div(dot(a, b), op.sqrt(op.mul(dot(a, a), dot(b, b))));
  const addedBy = ({ outputUse }: Block) => float(outputUse.node.input[outputUse.index]!);
  // Not the value of the stream itself: where the graph is cut there, what reads it belongs to the next segment.
  const after = ({ input, blocks }: ResidualStep) =>
    blocks.reduce((sum, block) => op.add(sum, addedBy(block)), float(input));
  const found: { output: string; of: BlockName | number }[] = [];
  for (const step of steps) {
    for (const block of step.blocks) {
      const before = float(step.input);
      found.push({ output: cosine(before, op.add(before, addedBy(block))), of: blockName(block) });
    }
  }
  for (const layer of new Set(blocksOf(decoder).map((block) => block.layer))) {
    const own = steps.filter((step) => step.layer === layer);
    found.push({ output: cosine(float(own[0]!.input), after(own.at(-1)!)), of: layer });
  }
  graph.proto.output = found.map(({ output }) =>
    makeValueInfo(output, DataType.FLOAT, ['rows', 'positions']),
  );
  forgetPast(graph);
  graph.removeUnused();
  graph.sortNodes();
  return found;
}
