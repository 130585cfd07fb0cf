import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles, mixtral } from '../../../../test/graphs/build-decoder.js';
import { withHead, type HeadOptions } from '../../../../test/graphs/with-head.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { readModel } from '../../onnx/file/model-file.js';
import { blockName, blocksOf, type Decoder } from '../decoder.js';
import { deleteBlocks } from '../edit/delete-blocks.js';
import { insertGates } from '../edit/gates.js';
import { readDecoder } from './read-decoder.js';

/** 'attention 0, mlp 0 | attention 1...': the blocks, the parallel ones joined by '+'. */
function outline(decoder: Decoder): string {
  return decoder.steps.map((step) => step.blocks.map(blockName).join(' + ')).join(', ');
}

/** Statements that hold for every decoder that was read. */
function expectConsistent(decoder: Decoder): void {
  const { graph } = decoder;
  expect(decoder.steps[0]!.input).toBe(decoder.embedding);
  decoder.steps.slice(1).forEach((step, index) => expect(step.input).toBe(decoder.steps[index]!.output));
  expect(decoder.finalNorm.input).toBe(decoder.steps.at(-1)!.output);
  for (const step of decoder.steps) {
    expect(step.additions.at(-1)).toBe(step.addition);
    expect(step.addition.output[0]).toBe(step.output);
    expect(step.inputUse.node.input[step.inputUse.index]).toBe(step.input);
    for (const block of step.blocks) {
      expect(block.outputUse.node.input[block.outputUse.index]).toBe(block.output);
      expect(step.additions).toContain(block.outputUse.node);
      if (block.norm) {
        expect(block.norm.input).toBe(step.input);
        expect(block.norm.epsilon.value).toBeGreaterThan(0);
      } else expect(block.firstProjections.length).toBeGreaterThan(0);
      expect(block.lastProjection === undefined).toBe(block.mixture !== undefined);
      if (!block.lastProjection) continue;
      expect(block.nodes).toContain(block.lastProjection.node);
      const { weight } = block.lastProjection;
      // A gain of 1 + weight is computed.
      expect(graph.constant(weight) ?? graph.producer(weight)).toBeDefined();
    }
  }
}

describe('the sample model', async () => {
  const decoder = readDecoder(await readModel(path.join(sampleFolder, 'onnx', 'model.onnx')));

  it('has 12 layers, each attention and then an MLP', () => {
    expectConsistent(decoder);
    expect(decoder.layerCount).toBe(12);
    expect(outline(decoder)).toMatch(/^attention 0, mlp 0, attention 1, mlp 1, .*, attention 11, mlp 11$/);
    expect(decoder).toMatchObject({
      hiddenSize: 128,
      vocabularySize: 676,
      streamType: DataType.FLOAT,
      logits: 'logits',
    });
  });

  it('knows what its inputs mean', () => {
    expect(decoder.inputs).toMatchObject({
      tokens: 'input_ids',
      attentionMask: 'attention_mask',
      positions: 'position_ids',
      others: [],
    });
    expect(decoder.inputs.cache.slice(0, 3)).toEqual([
      'past_key_values.0.key',
      'past_key_values.0.value',
      'past_key_values.1.key',
    ]);
  });

  it('knows norm, last projection and cache of a block', () => {
    const block = blocksOf(decoder)[14]!;
    expect(blockName(block)).toBe('attention 7');
    expect(block.norm).toMatchObject({
      kind: 'rms',
      epsilon: { kind: 'constant', value: expect.closeTo(1e-5, 10) },
    });
    expect(block.lastProjection).toMatchObject({
      weight: 'model.layers.7.self_attn.o_proj.weight',
      outputChannelFirst: false,
      bias: undefined,
    });
    expect(block.cache).toEqual({
      layout: 'separate',
      pastKey: 'past_key_values.7.key',
      pastValue: 'past_key_values.7.value',
      presentKey: 'present.7.key',
      presentValue: 'present.7.value',
    });
    const weights = block.weights.map((tensor) => tensor.name).filter((name) => name.startsWith('model.'));
    expect(weights.toSorted()).toEqual([
      'model.layers.7.input_layernorm.weight',
      'model.layers.7.self_attn.k_proj.weight',
      'model.layers.7.self_attn.o_proj.weight',
      'model.layers.7.self_attn.q_proj.weight',
      'model.layers.7.self_attn.v_proj.weight',
    ]);
  });

  it('knows what only the embedding and the head use', () => {
    expect(decoder.embeddingWeights.map((tensor) => tensor.name)).toEqual(['model.embed_tokens.weight']);
    expect(decoder.headWeights.map((tensor) => tensor.name)).toEqual(['lm_head.weight']);
  });
});

describe.each([...decoderStyles, mixtral])('a decoder in the style of $name', (style) => {
  const outlines = {
    sequential: 'attention 0, mlp 0, attention 1, mlp 1, attention 2, mlp 2',
    parallel: 'attention 0 + mlp 0, attention 1 + mlp 1, attention 2 + mlp 2',
    'parallel-chained': 'attention 0 + mlp 0, attention 1 + mlp 1, attention 2 + mlp 2',
  };

  it.each([11, 14, 18])('is read at opset %i, with a cache and without', (opset) => {
    for (const cache of [true, false]) {
      const decoder = readDecoder(buildDecoder(style, { opset, cache }));
      expectConsistent(decoder);
      expect(outline(decoder)).toBe(outlines[style.residual]);
      expect(decoder).toMatchObject({ hiddenSize: 16, vocabularySize: 31, layerCount: 3 });
      for (const block of blocksOf(decoder)) {
        expect(block.norm?.kind).toBe(style.blockNorm ? style.norm : undefined);
        if (block.lastProjection)
          expect(block.lastProjection.bias !== undefined).toBe(style.biases === 'all');
        const layout = cache && block.kind === 'attention' ? style.cacheLayout : undefined;
        expect(block.cache?.layout).toBe(layout);
      }
      expect(decoder.inputs.tokens).toBe('input_ids');
      expect(decoder.inputs.attentionMask).toBe('attention_mask');
      expect(decoder.inputs.positions).toBe(style.positions === 'rotary' ? 'position_ids' : undefined);
      expect(decoder.inputs.others).toEqual([]);
    }
  });
});

describe('variations', () => {
  const llama = decoderStyles[0]!;

  it('reads a head whose weight is the embedding, transposed', () => {
    const { model, graph } = readDecoder(buildDecoder(llama));
    const [transposed] = graph.addNode('Transpose', ['model.embed_tokens.weight'], { perm: [1, 0] });
    graph.setInput(graph.producer('logits')!, 1, transposed!);
    graph.removeUnused();
    graph.sortNodes();
    const decoder = readDecoder(model);
    expect(decoder.vocabularySize).toBe(31);
    expect([decoder.embeddingWeights, decoder.headWeights]).toEqual([[], []]);
  });

  it('tells two equal weights apart from those of one block alone', () => {
    const { model, graph } = readDecoder(buildDecoder(llama));
    graph.replaceUses('model.layers.1.input_layernorm.weight', 'model.layers.0.input_layernorm.weight');
    graph.removeUnused();
    const [first] = blocksOf(readDecoder(model));
    expect(first!.weights.map((tensor) => tensor.name)).not.toContain(
      'model.layers.0.input_layernorm.weight',
    );
  });

  it('reads what a gated and pruned graph has become', () => {
    const { decoder } = insertGates(readDecoder(buildDecoder(llama)));
    const again = readDecoder(deleteBlocks(decoder, ['attention 1']).model);
    expect(outline(again)).toBe('attention 0, mlp 0, mlp 1, attention 2, mlp 2');
  });

  it('numbers layers by what is left', () => {
    const pruned = deleteBlocks(readDecoder(buildDecoder(llama)), ['attention 0', 'mlp 1']);
    expect(outline(pruned)).toBe('mlp 0, attention 1, attention 2, mlp 2');
    expect(outline(readDecoder(pruned.model))).toBe(outline(pruned));
  });
});

describe.skipIf(!hasShared)(`exported files${sharedReason}`, () => {
  it.each([
    ['sample/onnx/optimum-fp32.onnx', 12, DataType.FLOAT],
    ['sample/onnx/optimum-fp16.onnx', 12, DataType.FLOAT16],
    ['sample/onnx/optimum-sdpa-external.onnx', 12, DataType.FLOAT],
    ['models/stories260K/stories260K.onnx', 5, DataType.FLOAT],
    ['models/stories260K/stories260K.nopast.onnx', 5, DataType.FLOAT],
    ['models/stories260K/stories260K.torchnames-sdpa.onnx', 5, DataType.FLOAT],
    ['models/stories260K/external/model.onnx', 5, DataType.FLOAT],
    ['models/stories260K/stories260K.ort-basic.onnx', 5, DataType.FLOAT],
    ['models/stories260K/stories260K.ort-extended.onnx', 5, DataType.FLOAT],
    ['models/stories260K/stories260K.sdpa.ort-extended.onnx', 5, DataType.FLOAT],
  ])('%s', async (file, layers, streamType) => {
    const decoder = readDecoder(await readModel(sharedPath(file)));
    expectConsistent(decoder);
    expect(decoder).toMatchObject({ layerCount: layers, streamType });
    expect(decoder.steps).toHaveLength(2 * layers);
    expect(decoder.inputs.cache).toHaveLength(file.includes('nopast') ? 0 : 2 * layers);
  });

  it('models/fixtures/ort-testdata/gpt2_megatron.onnx, whose stream passes through Casts', async () => {
    const decoder = readDecoder(
      await readModel(sharedPath('models/fixtures/ort-testdata/gpt2_megatron.onnx')),
    );
    expect(outline(decoder)).toBe('attention 0, mlp 0');
    expect(blocksOf(decoder)[0]!.cache).toEqual({ layout: 'packed', past: 'past_0', present: 'present_0' });
    expect(decoder.inputs).toMatchObject({
      tokens: 'input_ids',
      positions: 'position_ids',
      others: ['attention_mask'],
    });
  });
});

describe.skipIf(!hasShared)(`exported trunks that were given a head${sharedReason}`, () => {
  const trunks: [string, HeadOptions, number][] = [
    ['ort-testdata/gpt2_past.onnx', { hiddenStates: 'last_state', hidden: 4, vocabulary: 20 }, 12],
    [
      'ort-testdata/gpt2_past_one_layer.onnx',
      { hiddenStates: '502', hidden: 4, vocabulary: 20, norm: true },
      1,
    ],
    ['ort-testdata/gpt2_one_layer.onnx', { hiddenStates: '471', hidden: 4, vocabulary: 20, norm: true }, 1],
    ['sdpython/llama_export_static.onnx', { hiddenStates: 'output_0', hidden: 16, vocabulary: 1024 }, 1],
    ['sdpython/llama_export_dynamic.onnx', { hiddenStates: 'output_0', hidden: 16, vocabulary: 1024 }, 1],
    ['sdpython/em_llama.onnx', { hiddenStates: 'output_0', hidden: 4096, vocabulary: 10 }, 6],
  ];

  it.each(trunks)('%s', async (file, head, layers) => {
    const decoder = readDecoder(withHead(await readModel(sharedPath('models/fixtures', file)), head));
    expectConsistent(decoder);
    expect(decoder).toMatchObject({
      layerCount: layers,
      hiddenSize: head.hidden,
      vocabularySize: head.vocabulary,
    });
    expect(decoder.steps).toHaveLength(2 * layers);
  });

  it('a dynamo export makes keys and values without taking any', async () => {
    const [, head] = trunks[5]!;
    const decoder = readDecoder(
      withHead(await readModel(sharedPath('models/fixtures/sdpython/em_llama.onnx')), head),
    );
    const attention = blocksOf(decoder).filter((block) => block.kind === 'attention');
    expect(attention[5]).toMatchObject({ cache: undefined, outputs: ['output_11', 'output_12'] });
    expect(attention[5]!.lastProjection!.outputChannelFirst).toBe(true);
  });
});
