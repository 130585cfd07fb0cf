/** Attention that guards against positions that see nothing, as PyTorch's exporters write it, without the guard. */
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { largestDifference, runDecoder } from '../../../../test/graphs/run-decoder.js';
import { expectSameTextsInBatches } from '../../../../test/support/same-texts.js';
import { Graph } from '../../onnx/graph/graph.js';
import { Operators } from '../../onnx/graph/operators.js';
import type { Decoder } from '../decoder.js';
import { readDecoder } from '../read/read-decoder.js';
import { withFiniteMasks } from './finite-masks.js';

/** Masks of minus infinity, and zeros for the NaN of a row that is masked throughout. */
function guarded(decoder: Decoder): Decoder {
  const { model } = decoder;
  const graph = new Graph(model.graph);
  const write = new Operators(graph, 'guard');
  for (const softmax of graph.nodes.filter(({ opType }) => opType === 'Softmax')) {
    const addition = graph.producer(softmax.input[0]!)!;
    const mask = addition.input[1]!;
    const hidden = write.emit('Less', [mask, write.scalar(-1e37)]);
    graph.setInput(addition, 1, write.emit('Where', [hidden, write.scalar(-Infinity), mask]));
    const [weights] = softmax.output;
    const isNaN = write.emit('IsNaN', [weights]);
    const safe = write.emit('Where', [isNaN, write.scalar(0), weights]);
    const own = new Set([graph.producer(isNaN), graph.producer(safe)]);
    graph.replaceUses(weights!, safe, (node) => own.has(node));
  }
  graph.sortNodes();
  return readDecoder(model);
}

const guards = ({ graph }: Decoder) => graph.nodes.filter(({ opType }) => opType === 'IsNaN').length;

const styles = decoderStyles.filter(({ name }) =>
  ['llama', 'gemma-2', 'bloom', 'mistral'].some((one) => name.includes(one)),
);

it('is tested on several families', () => {
  expect(styles.length).toBeGreaterThan(1);
});

describe.each(styles)('$name', (style) => {
  const decoder = guarded(readDecoder(buildDecoder(style)));
  const rewritten = withFiniteMasks(decoder);

  it('has no guard any more, and gives the same logits and KV cache', async () => {
    expect(guards(decoder)).toBeGreaterThan(0);
    expect(guards(rewritten)).toBe(0);
    expect(largestDifference(await runDecoder(rewritten), await runDecoder(decoder))).toBe(0);
  });

  it('writes the same texts, prompts of several lengths together', async () => {
    await expectSameTextsInBatches(decoder);
  });
});

it('leaves a decoder alone that guards nothing', () => {
  const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
  expect(withFiniteMasks(decoder)).toBe(decoder);
});
