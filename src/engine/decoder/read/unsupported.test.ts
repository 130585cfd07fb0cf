import { readdirSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { hasShared, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { UserError } from '../../../schema/errors.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { readModel, type OnnxModel } from '../../onnx/file/model-file.js';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  NodeProtoSchema,
  type NodeProto,
} from '../../onnx/file/onnx_pb.js';
import { floatTensor, int64Tensor } from '../../onnx/graph/tensor.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import type { Block } from '../decoder.js';
import { readDecoder } from './read-decoder.js';

async function refusal(model: () => OnnxModel | Promise<OnnxModel>): Promise<string> {
  try {
    readDecoder(await model());
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'It was read.';
}

/** What is said about a small Llama whose graph was changed. */
async function refusalAfter(change: (graph: Graph, blocks: Block[]) => void, cache = false): Promise<string> {
  return await refusal(() => {
    const { model, graph, ...decoder } = readDecoder(
      buildDecoder(decoderStyles[0]!, { cache, layers: 2, opset: 17 }),
    );
    change(
      graph,
      decoder.steps.flatMap((step) => step.blocks),
    );
    graph.removeUnused();
    graph.sortNodes();
    return model;
  });
}

describe('models of other kinds are refused by their kind, with models that work', () => {
  it.each([
    ['encoder_hidden_states', 'is the decoder of an encoder-decoder'],
    ['past_key_values.0.encoder.key', 'is the decoder of an encoder-decoder'],
    ['past_key_values.0.recurrent_state', 'some of its layers hold linear attention'],
    ['past_ssm.0', 'has layers of state spaces (Mamba)'],
  ])('%s', async (input, kind) => {
    const message = await refusalAfter((graph) => {
      graph.addInput(makeValueInfo(input, DataType.FLOAT, ['batch', 4, 16]));
    });
    expect(message).toContain(kind);
    expect(message).toMatch(/\(it has the input .*\); Hopscotch slims models of .*such as Llama/);
  });
});

describe('a decoder that is changed so that it', () => {
  it('takes embeddings in place of tokens', async () => {
    const message = await refusalAfter((graph, [attention]) => {
      graph.addInput(makeValueInfo('inputs_embeds', DataType.FLOAT, ['batch', 'sequence', 16]));
      graph.replaceUses(attention!.norm!.input, 'inputs_embeds');
    });
    expect(message).toMatchInlineSnapshot(
      `"The model takes embeddings ('inputs_embeds') in place of token ids, as the text part of a model of pictures or sound does; Hopscotch slims models of attention, short convolutions and MLP blocks alone, such as Llama, SmolLM2, Qwen 2.5 and 3, Gemma 2 and 3, Phi, Granite, LFM2, GPT-2 and OPT, each in a file that takes input_ids."`,
    );
  });

  it('uses the keys of another layer', async () => {
    const message = await refusalAfter((graph, [first, , second]) => {
      const keys = (block: Block) =>
        graph.producer(block.cache!.layout === 'separate' ? block.cache!.presentKey : '')!;
      graph.setInput(keys(second!), 1, keys(first!).input[1]!);
    }, true);
    expect(message).toMatchInlineSnapshot(
      `"The block 'attention 1' uses keys or values of another layer; Hopscotch reads models in which each layer makes its own."`,
    );
  });

  it('adds to the normed stream', async () => {
    const message = await refusalAfter((graph, [, mlp]) => {
      graph.setInput(mlp!.outputUse.node, 1 - mlp!.outputUse.index, mlp!.norm!.output);
    });
    expect(message).toMatchInlineSnapshot(
      `"The residual stream ends at the Add node "Add/node_6", but more attention follows; Hopscotch reads models that normalise before each block and add its result to the stream."`,
    );
  });

  it('norms what a block adds without a gain', async () => {
    const message = await refusalAfter((graph, [, mlp]) => {
      const [square] = graph.addNode('Mul', [mlp!.output, mlp!.output]);
      const [mean] = graph.addNode('ReduceMean', [square!], { axes: [-1] });
      const [root] = graph.addNode('Sqrt', [mean!]);
      const [normed] = graph.addNode('Div', [mlp!.output, root!], {}, { label: 'post_norm' });
      graph.setInput(mlp!.outputUse.node, mlp!.outputUse.index, normed!);
    });
    expect(message).toMatchInlineSnapshot(
      `"The result of mlp 0 is normalised before it is added to the residual stream (the Div node "post_norm/node"), without a gain that the scales could go into; such a model is not supported."`,
    );
  });

  it('has a block without a norm', async () => {
    const message = await refusalAfter((graph, [, mlp]) => {
      const { input, output } = mlp!.norm!;
      const [squashed] = graph.addNode('Tanh', [input], {}, { label: 'squash' });
      graph.replaceUses(output, squashed!);
    });
    expect(message).toMatchInlineSnapshot(
      `"A layer norm or RMS norm was expected between the residual stream and mlp 0, but the Tanh node "squash/node" reads it directly; Hopscotch reads models that normalise before each block, or each block's result."`,
    );
  });

  /** For what reads the value, as static quantisers do. */
  function round(graph: Graph, value: string, keep: (node: NodeProto) => boolean = () => false): void {
    const step = graph.addInitializer(floatTensor(`${value}.step`, [], [1 / 16]));
    const readers = new Set(graph.consumers(value));
    const [integers] = graph.addNode('QuantizeLinear', [value, step], {}, { label: `${value}.rounded` });
    const [rounded] = graph.addNode('DequantizeLinear', [integers!, step]);
    graph.replaceUses(value, rounded!, (node) => !readers.has(node) || keep(node));
  }
  const roundedStream = (node: string) =>
    `The model rounds the residual stream itself to integers (the QuantizeLinear node "${node}.rounded/node"), in steps that were measured on the whole model and would no longer fit one with fewer blocks; use a file in which only products with weights are quantised, or the model's float32 or float16 file.`;

  it('rounds its residual stream from the embedding on', async () => {
    let stream = '';
    const message = await refusalAfter((graph, blocks) => {
      const values = new Set(blocks.map(({ input }) => input));
      stream = blocks[0]!.input;
      for (const value of [...values, blocks.at(-1)!.outputUse.node.output[0]!]) round(graph, value);
    });
    expect(message).toBe(roundedStream(stream));
  });

  it('rounds its residual stream behind a block', async () => {
    let stream = '';
    const message = await refusalAfter((graph, [, mlp]) => {
      stream = mlp!.input;
      round(graph, stream);
    });
    expect(message).toBe(roundedStream(stream));
  });

  it('rounds its residual stream in front of a norm', async () => {
    let stream = '';
    const message = await refusalAfter((graph, [, mlp]) => {
      stream = mlp!.input;
      round(graph, stream, (node) => node === mlp!.outputUse.node);
    });
    expect(message).toBe(roundedStream(stream));
  });

  it('has a block that mixes positions by a running sum', async () => {
    const message = await refusalAfter((graph, [, mlp]) => {
      const axis = graph.addInitializer(int64Tensor('axis', [], [1]));
      const [summed] = graph.addNode('CumSum', [mlp!.norm!.output, axis], {}, { label: 'scan' });
      graph.replaceUses(mlp!.norm!.output, summed!, (node) => node.opType === 'CumSum');
    });
    expect(message).toMatchInlineSnapshot(
      `"The model holds a block that is neither attention, a convolution nor an MLP (the CumSum node "scan/node" mixes positions); Hopscotch slims models of attention, short convolutions and MLP blocks alone, such as Llama, SmolLM2, Qwen 2.5 and 3, Gemma 2 and 3, Phi, Granite, LFM2, GPT-2 and OPT."`,
    );
  });

  it('has a block that keeps a state', async () => {
    const message = await refusalAfter((graph, [, mlp]) => {
      graph.addInput(makeValueInfo('past_mix.0', DataType.FLOAT, ['batch', 1, 16]));
      const [mixed] = graph.addNode('Add', [mlp!.norm!.output, 'past_mix.0'], {}, { label: 'mixed' });
      graph.addNode('Identity', [mixed!], {}, { outputs: ['present_mix.0'] });
      graph.replaceUses(mlp!.norm!.output, mixed!, (node) => node.output[0] === mixed);
      graph.proto.output.push(makeValueInfo('present_mix.0', DataType.FLOAT, ['batch', undefined, 16]));
    });
    expect(message).toMatchInlineSnapshot(
      `"The model holds a block without attention that keeps the state 'past_mix.0'; Hopscotch slims models of attention, short convolutions and MLP blocks alone, such as Llama, SmolLM2, Qwen 2.5 and 3, Gemma 2 and 3, Phi, Granite, LFM2, GPT-2 and OPT."`,
    );
  });

  it('has weights quantised in another way', async () => {
    const message = await refusalAfter((graph, [attention]) => {
      const { node, weight } = attention!.lastProjection!;
      const [product] = graph.addNode(
        'MatMulBnb4',
        [node.input[0]!, weight],
        {},
        { domain: 'com.microsoft', label: 'bnb' },
      );
      graph.replaceUses(node.output[0]!, product!);
    });
    expect(message).toMatchInlineSnapshot(
      `"The weights of attention 0 are quantised in a way that is not supported yet (found the com.microsoft.MatMulBnb4 node "bnb/node"); use the model's float32 or float16 file."`,
    );
  });

  it('has no final norm', async () => {
    const message = await refusalAfter((graph, blocks) => {
      const last = blocks.at(-1)!.outputUse.node.output[0]!;
      const head = graph.producer('logits')!;
      graph.setInput(head, 0, last);
    });
    expect(message).toMatchInlineSnapshot(
      `"After the last block a final layer norm or RMS norm was expected, but the MatMul node "MatMul/node_19" was found; export the model again as a plain decoder, for instance with Optimum and the task 'text-generation-with-past'."`,
    );
  });

  it('has no head', async () => {
    const message = await refusalAfter((graph) => {
      const states = graph.producer('logits')!.input[0]!;
      graph.removeOutputs(new Set(['logits']));
      graph.proto.output.push(makeValueInfo(states, DataType.FLOAT, ['batch', 'sequence', 16]));
    });
    expect(message).toMatchInlineSnapshot(
      `"The model has no output with logits: no matrix product between its final norm and an output was found; export it with its language-modelling head."`,
    );
  });

  it('is wrapped in an If', async () => {
    const message = await refusalAfter((graph) => {
      const body = create(GraphProtoSchema, { node: [create(NodeProtoSchema, { opType: 'MatMul' })] });
      const [result] = graph.addNode('If', ['attention_mask'], {}, { label: 'optimum::if' });
      graph
        .producer(result!)!
        .attribute.push(
          create(AttributeProtoSchema, { name: 'then_branch', type: AttributeType.GRAPH, g: body }),
        );
      graph.proto.output.push(makeValueInfo(result!, DataType.FLOAT, []));
    });
    expect(message).toMatchInlineSnapshot(
      `"The model holds its decoder inside the If node "optimum::if/node", as merged decoders do; this is not supported yet, so export the decoder that takes past keys and values without merging."`,
    );
  });

  it('has an attention operator of another kind', async () => {
    const message = await refusalAfter((graph, [, mlp]) => {
      const options = { outputs: ['attended'], label: 'attend', domain: 'com.microsoft' };
      graph.addNode('SparseAttention', [mlp!.norm!.output], {}, options);
      graph.proto.output.push(makeValueInfo('attended', DataType.FLOAT, []));
    });
    expect(message).toMatchInlineSnapshot(
      `"The model's kind of attention is not supported (found the com.microsoft.SparseAttention node "attend/node"); export the model again as a plain decoder, for instance with Optimum and the task 'text-generation-with-past'."`,
    );
  });
});

describe.skipIf(!hasShared)(`files that cannot be read${sharedReason}`, () => {
  it('are refused with one sentence', async () => {
    const files = [
      ...readdirSync(hasShared ? sharedPath('models/fixtures/refuse') : '.')
        .filter((name) => name.endsWith('.onnx'))
        .map((name) => `models/fixtures/refuse/${name}`),
      'models/fixtures/ort-testdata/gpt2_past.onnx',
      'models/fixtures/ort-testdata/gpt2_one_layer.onnx',
      'models/fixtures/ort-testdata/gpt2_attention_opt_skiplayernorm.onnx',
      'models/fixtures/sdpython/llama_export_static.onnx',
    ];
    const messages: Record<string, string> = {};
    for (const file of files) {
      const message = await refusal(() => readModel(sharedPath(file)));
      messages[file] = message.replaceAll(sharedPath(), '...');
    }
    expect(messages).toMatchInlineSnapshot(`
      {
        "models/fixtures/ort-testdata/gpt2_attention_opt_skiplayernorm.onnx": "The model takes embeddings ('input_1') in place of token ids, as the text part of a model of pictures or sound does; Hopscotch slims models of attention, short convolutions and MLP blocks alone, such as Llama, SmolLM2, Qwen 2.5 and 3, Gemma 2 and 3, Phi, Granite, LFM2, GPT-2 and OPT, each in a file that takes input_ids.",
        "models/fixtures/ort-testdata/gpt2_one_layer.onnx": "After the last block a final layer norm or RMS norm was expected, but the end of the graph ('471') was found; export the model again as a plain decoder, for instance with Optimum and the task 'text-generation-with-past'.",
        "models/fixtures/ort-testdata/gpt2_past.onnx": "The model has no output with logits: no matrix product between its final norm and an output was found; export it with its language-modelling head.",
        "models/fixtures/refuse/3layer_bloom_optimized_training.onnx": "The model is a training graph (it holds the com.microsoft.SoftmaxCrossEntropyLossInternal node "/_original_module/_original_model/SoftmaxCrossEntropyLossInternal"); Hopscotch needs the graph for inference, so export the model again as a plain decoder, for instance with Optimum and the task 'text-generation-with-past'.",
        "models/fixtures/refuse/genai_phi3v_dummy_text.onnx": ".../models/fixtures/refuse/genai_phi3v_dummy_text.onnx is not an ONNX model: it holds no graph.",
        "models/fixtures/refuse/genai_tiny-random-lfm2.onnx": "After the embedding (Gather node "embeddings") a residual stream was expected, an Add of the embedding and of an attention block's result, but there is none; export the model again as a plain decoder, for instance with Optimum and the task 'text-generation-with-past'.",
        "models/fixtures/refuse/tiny_gpt2_beamsearch.onnx": "The model holds a whole text search around its decoder (the com.microsoft.BeamSearch node "BeamSearch_gpt2"); Hopscotch needs the decoder alone, so export the model again as a plain decoder, for instance with Optimum and the task 'text-generation-with-past'.",
        "models/fixtures/sdpython/llama_export_static.onnx": "The model has no output with logits: no matrix product between its final norm and an output was found; export it with its language-modelling head.",
      }
    `);
  });
});
