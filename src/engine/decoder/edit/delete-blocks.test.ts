import type { BlockName } from '../../../schema/blocks.js';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import {
  DecoderRunner,
  largestDifference,
  runDecoder,
  type RunOptions,
} from '../../../../test/graphs/run-decoder.js';
import { withHead } from '../../../../test/graphs/with-head.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { valuesRead } from '../../onnx/graph/node.js';
import { readModel } from '../../onnx/file/model-file.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { blockName, blocksOf, type Decoder } from '../decoder.js';
import { deleteBlocks } from './delete-blocks.js';
import { insertGates } from './gates.js';
import { readDecoder } from '../read/read-decoder.js';

/** Deletes each set of blocks and compares with the blocks' gates at zero: all outputs that both have, to the bit. */
async function expectDeletedEqualsZeroed(
  decoder: Decoder,
  sets: readonly (readonly BlockName[])[],
  run: RunOptions = {},
): Promise<void> {
  const { decoder: gated, gates } = insertGates(decoder);
  const runner = await DecoderRunner.open(gated);
  const open = await runner.run({ ...run, gates: { all: gates, values: {} } });
  for (const skipped of sets) {
    const closed = gates.filter(
      (gate) => gate.kind === 'block' && skipped.some((block) => block === gate.block),
    );
    const values = Object.fromEntries(closed.map((gate) => [gate.name, 0]));
    const zeroed = await runner.run({ ...run, gates: { all: gates, values } });
    const deleted = deleteBlocks(decoder, skipped);
    const results = await runDecoder(deleted, run);
    expect(largestDifference(results, zeroed), skipped.join(', ')).toBe(0);
    expect(largestDifference(results, open), skipped.join(', ')).toBeGreaterThan(1e-3);
    const names = new Set(skipped);
    const lost = blocksOf(decoder)
      .filter((block) => names.has(blockName(block)))
      .flatMap((b) => b.outputs);
    expect(Object.keys(zeroed[0]!).length - Object.keys(results[0]!).length).toBe(lost.length);
  }
  await runner.release();
}

function singles(decoder: Decoder): BlockName[][] {
  return blocksOf(decoder).map((block) => [blockName(block)]);
}

describe('a deleted block equals a block gated with zero', () => {
  it('in the sample model', async () => {
    const decoder = readDecoder(await readModel(path.join(sampleFolder, 'onnx', 'model.onnx')));
    await expectDeletedEqualsZeroed(decoder, [
      ...singles(decoder),
      ['attention 0', 'attention 1', 'attention 8'],
      ['attention 0', 'mlp 0', 'mlp 3'],
      ['attention 5', 'mlp 5', 'attention 11', 'mlp 11'],
    ]);
  });

  describe.each(decoderStyles)('in the style of $name', (style) => {
    it.each([
      [11, true],
      [14, false],
      [18, true],
    ])('at opset %i (with a cache: %s)', async (opset, cache) => {
      const decoder = readDecoder(buildDecoder(style, { opset, cache }));
      await expectDeletedEqualsZeroed(decoder, [
        ...singles(decoder),
        ['attention 0', 'attention 1'],
        ['attention 0', 'mlp 0'],
        ['mlp 0', 'attention 2', 'mlp 2'],
      ]);
    });
  });

  const files = ['sample/onnx/optimum-fp16.onnx', 'sample/onnx/optimum-sdpa-external.onnx'].concat(
    ['stories260K', 'stories260K.nopast', 'stories260K.torchnames-sdpa', 'stories260K.ort-basic'].map(
      (name) => `models/stories260K/${name}.onnx`,
    ),
    'models/stories260K/stories260K.ort-extended.onnx',
    'models/stories260K/external/model.onnx',
  );

  it.skipIf(!hasShared).each(files)(`in %s${sharedReason}`, async (file) => {
    const decoder = readDecoder(await readModel(sharedPath(file)));
    await expectDeletedEqualsZeroed(decoder, [
      ['attention 0'],
      ['mlp 0'],
      ['attention 4'],
      ['attention 0', 'attention 1', 'mlp 2'],
    ]);
  });

  it.skipIf(!hasShared)(`in a PyTorch 1 export of GPT-2${sharedReason}`, async () => {
    const trunk = await readModel(sharedPath('models/fixtures/ort-testdata/gpt2_past.onnx'));
    const decoder = readDecoder(withHead(trunk, { hiddenStates: 'last_state', hidden: 4, vocabulary: 20 }));
    const sets: BlockName[][] = [
      ['attention 0'],
      ['attention 0', 'attention 1', 'mlp 0'],
      ['attention 11', 'mlp 11'],
    ];
    await expectDeletedEqualsZeroed(decoder, sets, { positions: [1, 1] });
  });
});

describe('deleteBlocks', () => {
  const decoder = readDecoder(buildDecoder(decoderStyles[0]!, { layers: 4 }));

  it('removes nodes, weights, cache inputs and outputs, and keeps the numbers of the rest', () => {
    const deleted = deleteBlocks(decoder, ['attention 1', 'mlp 2']);
    expect(blocksOf(deleted).map(blockName)).toEqual([
      'attention 0',
      'mlp 0',
      'mlp 1',
      'attention 2',
      'attention 3',
      'mlp 3',
    ]);
    expect(deleted.layerCount).toBe(4);
    expect(deleted.inputs.cache.some((name) => name.includes('.1.'))).toBe(false);
    expect(deleted.graph.outputs.map((output) => output.name)).not.toContain('present.1.key');
    const names = deleted.graph.proto.initializer.map((tensor) => tensor.name);
    expect(names.filter((name) => /layers\.(1\.(self_attn|input_l)|2\.(mlp|post))/.test(name))).toEqual([]);
    const read = new Set(deleted.graph.nodes.flatMap(valuesRead));
    expect(names.filter((name) => !read.has(name))).toEqual([]);
  });

  it('does not change the decoder that it is given', () => {
    const before = decoder.graph.nodes.length;
    deleteBlocks(decoder, ['attention 0', 'mlp 0']);
    expect(decoder.graph.nodes).toHaveLength(before);
    expect(decoder.inputs.cache).toHaveLength(8);
  });

  it('can be repeated', () => {
    const once = deleteBlocks(decoder, ['attention 0', 'mlp 0', 'attention 2']);
    const twice = deleteBlocks(deleteBlocks(decoder, ['attention 0', 'mlp 0']), ['attention 2']);
    expect(blocksOf(twice).map(blockName)).toEqual(blocksOf(once).map(blockName));
    expect(twice.graph.nodes.length).toBe(once.graph.nodes.length);
  });

  it('deletes from a decoder with gates, and the gate too', async () => {
    const { decoder: gated, gates } = insertGates(decoder);
    const deleted = deleteBlocks(gated, ['attention 1']);
    const left = gates.filter((gate) => deleted.graph.input(gate.name) !== undefined);
    expect(gates.filter((gate) => !left.includes(gate)).map((gate) => gate.name)).toEqual([
      'hopscotch.block.attention.1',
    ]);
    const closed = await runDecoder(gated, {
      gates: { all: gates, values: { 'hopscotch.block.attention.1': 0 } },
    });
    expect(largestDifference(await runDecoder(deleted, { gates: { all: left, values: {} } }), closed)).toBe(
      0,
    );
  });

  it('keeps the other block of a parallel residual', () => {
    const neox = readDecoder(buildDecoder(decoderStyles.find((style) => style.name === 'gpt-neox')!));
    const deleted = deleteBlocks(neox, ['attention 1']);
    expect(deleted.steps.map((step) => step.blocks.map(blockName))).toEqual([
      ['attention 0', 'mlp 0'],
      ['mlp 1'],
      ['attention 2', 'mlp 2'],
    ]);
  });

  it('refuses to delete all attention, or what is not there', () => {
    const all = blocksOf(decoder)
      .map(blockName)
      .filter((name) => name.startsWith('attention'));
    expect(() => deleteBlocks(decoder, all)).toThrow('At least one attention block must stay');
    expect(() => deleteBlocks(decoder, ['attention 4'])).toThrow("The model has no block 'attention 4'");
  });

  it('refuses to delete a block whose cache something else reads', () => {
    const model = buildDecoder(decoderStyles[0]!);
    const graph = new Graph(model.graph);
    graph.addNode('Identity', ['past_key_values.0.key'], {}, { outputs: ['copy'], label: 'copy' });
    graph.proto.output.push(makeValueInfo('copy', DataType.FLOAT, [undefined, 2, undefined, 4]));
    const odd = readDecoder(model);
    expect(() => deleteBlocks(odd, ['attention 0'])).toThrow(
      `The block 'attention 0' cannot be skipped: the Identity node "copy/node" reads its cache input 'past_key_values.0.key'.`,
    );
    expect(blocksOf(deleteBlocks(odd, ['attention 1']))).toHaveLength(5);
  });
});
