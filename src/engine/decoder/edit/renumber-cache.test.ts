import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { runDecoder } from '../../../../test/graphs/run-decoder.js';
import { Graph } from '../../onnx/graph/graph.js';
import { float32Values } from '../../runtime/tensors.js';
import type { Decoder } from '../decoder.js';
import { deleteBlocks } from './delete-blocks.js';
import { readDecoder } from '../read/read-decoder.js';
import { renumberCache } from './renumber-cache.js';

const llama = decoderStyles[0]!;
const gpt2 = decoderStyles.find((style) => style.name === 'gpt2')!;

function cacheNames(decoder: Decoder): string[] {
  return [...decoder.inputs.cache, ...decoder.graph.outputs.map((output) => output.name).slice(1)];
}

describe('renumberCache', () => {
  it('counts what is left densely', async () => {
    const deleted = deleteBlocks(readDecoder(buildDecoder(llama, { layers: 4 })), [
      'attention 0',
      'attention 2',
    ]);
    const { decoder, oldIndices } = renumberCache(deleted);
    expect(oldIndices).toEqual([1, 3]);
    expect(cacheNames(decoder)).toEqual(
      ['past_key_values', 'present'].flatMap((name) =>
        [0, 1].flatMap((index) => [`${name}.${index}.key`, `${name}.${index}.value`]),
      ),
    );
    const [before, after] = [await runDecoder(deleted), await runDecoder(decoder)];
    expect(float32Values(after[1]!['logits']!)).toEqual(float32Values(before[1]!['logits']!));
    expect(after[1]!['present.1.value']!.data).toEqual(before[1]!['present.3.value']!.data);
  });

  it('renumbers packed caches', () => {
    const deleted = deleteBlocks(readDecoder(buildDecoder(gpt2, { layers: 3 })), ['attention 1']);
    const { decoder, oldIndices } = renumberCache(deleted);
    expect(oldIndices).toEqual([0, 2]);
    expect(cacheNames(decoder)).toEqual(['past_0', 'past_1', 'present_0', 'present_1']);
  });

  it('renumbers a single entry by its layer', () => {
    const deleted = deleteBlocks(readDecoder(buildDecoder(llama, { layers: 2 })), ['attention 0']);
    const { decoder, oldIndices } = renumberCache(deleted);
    expect(oldIndices).toEqual([1]);
    expect(decoder.inputs.cache).toEqual(['past_key_values.0.key', 'past_key_values.0.value']);
  });

  it('leaves dense names as they are', () => {
    const whole = readDecoder(buildDecoder(llama));
    const { decoder, oldIndices } = renumberCache(whole);
    expect(oldIndices).toEqual([0, 1, 2]);
    expect(cacheNames(decoder)).toEqual(cacheNames(whole));
  });

  it('leaves numbers that count all outputs as they are', () => {
    const model = buildDecoder(llama, { layers: 3 });
    const graph = new Graph(model.graph);
    graph.outputs.forEach((output, index) => {
      const node = graph.producer(output.name)!;
      graph.renameOutput(node, node.output.indexOf(output.name), `output_${index}`);
      output.name = `output_${index}`;
    });
    const { decoder } = renumberCache(deleteBlocks(readDecoder(model), ['attention 1']));
    expect(decoder.graph.outputs.map((output) => output.name)).toEqual(
      [0, 1, 2, 5, 6].map((n) => `output_${n}`),
    );
    expect(decoder.inputs.cache[2]).toBe('past_key_values.1.key');
  });

  it('has nothing to do without a cache', () => {
    const whole = readDecoder(buildDecoder(llama, { cache: false }));
    expect(renumberCache(whole).oldIndices).toEqual([]);
  });
});
