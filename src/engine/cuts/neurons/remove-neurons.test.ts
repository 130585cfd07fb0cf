import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles, mixtral } from '../../../../test/graphs/build-decoder.js';
import { narrowFloats } from '../../../../test/graphs/narrow-floats.js';
import { buildGenaiDecoder, genaiStyles } from '../../../../test/graphs/genai-decoder.js';
import { QUANTISATIONS, quantiseProducts } from '../../../../test/graphs/quantise-products.js';
import { largestDifference, runDecoder } from '../../../../test/graphs/run-decoder.js';
import { repositoryRoot } from '../../../../test/support/shared-folder.js';
import type { Decoder } from '../../decoder/decoder.js';
import { readDecoder } from '../../decoder/read/read-decoder.js';
import { copyModel, readModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { floatTensor, tensorBytes } from '../../onnx/graph/tensor.js';
import { insertNeuronGates } from './neuron-gates.js';
import type { Neurons } from './neurons.js';
import { neuronsProblem } from './neurons-problem.js';
import { readNeurons } from './read-neurons.js';
import { removeNeurons, type CutDecoder, type KeptNeurons } from './remove-neurons.js';

/** GroupQueryAttention takes several positions behind a cache for one row only. */
const RUN = { rows: 1 };

/** Every third neuron (or block of them) goes in even layers, every fourth in odd ones. */
function someKept({ layer, width, together }: Neurons): number[] {
  const each = layer % 2 === 0 ? 3 : 4;
  return Array.from({ length: width }, (_, at) => at).filter(
    (neuron) => Math.floor(neuron / together) % each !== 1,
  );
}

/** The decoder with the neurons' activations set to zero. */
function zeroed(original: Decoder, kept: KeptNeurons): Decoder {
  const { decoder, gates } = insertNeuronGates(original);
  for (const { name, block, width } of gates) {
    const own = new Set(kept.get(block) ?? Array.from({ length: width }, (_, at) => at));
    const mask = Array.from({ length: width }, (_, at) => (own.has(at) ? 1 : 0));
    decoder.graph.removeInputs(new Set([name]));
    decoder.graph.addInitializer(floatTensor(name, [width], mask));
  }
  return readDecoder(decoder.model);
}

/** The decoder as it is read from its file. */
function written({ decoder, weightEdits }: CutDecoder): Decoder {
  const model = copyModel(decoder.model);
  const graph = new Graph(model.graph);
  for (const tensor of model.graph.initializer) {
    const edit = weightEdits.get(tensor.name);
    if (edit) graph.replaceInitializer({ ...edit(tensor, model.folder), name: tensor.name });
  }
  return readDecoder(model);
}

async function expectRemovedEqualsZeroed(decoder: Decoder, tolerance: number): Promise<void> {
  const { neurons, problems } = readNeurons(decoder);
  expect([...problems]).toEqual([]);
  const kept = new Map(neurons.map((own) => [own.block, someKept(own)]));
  const cut = removeNeurons(decoder, kept);
  expect(cut.decoder.model.graph.node.length).toBeLessThanOrEqual(decoder.model.graph.node.length);
  const after = written(cut);
  const widths = readNeurons(after).neurons.map(({ width }) => width);
  expect(widths).toEqual([...kept.values()].map(({ length }) => length));
  const whole = await runDecoder(decoder, RUN);
  const removed = await runDecoder(after, RUN);
  expect(largestDifference(removed, await runDecoder(zeroed(decoder, kept), RUN))).toBeLessThan(tolerance);
  expect(largestDifference(removed, whole)).toBeGreaterThan(1e-3);
}

describe('removed neurons equal neurons whose activations are zero', () => {
  it("in a file of onnxruntime-genai's builder, which declares the widths of values in between", async () => {
    const file = path.join(repositoryRoot, 'test', 'families', 'phi3', 'genai', 'model.onnx');
    await expectRemovedEqualsZeroed(readDecoder(await readModel(file)), 1e-4);
  });

  it.each(decoderStyles)('in the style of $name', async (style) => {
    await expectRemovedEqualsZeroed(readDecoder(buildDecoder(style)), 1e-5);
  });

  it('with sizes of Split as an attribute (opset 11)', async () => {
    const phi3 = decoderStyles.find(({ name }) => name === 'phi3')!;
    await expectRemovedEqualsZeroed(readDecoder(buildDecoder(phi3, { opset: 11 })), 1e-5);
  });

  it.each(genaiStyles.filter(({ mlp }) => !mlp.includes('experts')))(
    "in onnxruntime-genai's style of $name",
    async (style) => {
      await expectRemovedEqualsZeroed(readDecoder(buildGenaiDecoder(style)), 1e-5);
    },
  );

  it.each(['MatMulNBits 4', 'MatMulNBits 4 with zero points', 'MatMulNBits 8 with zero points'] as const)(
    'in whole blocks of a %s weight',
    async (quantisation) => {
      for (const name of ['llama', 'phi3', 'opt']) {
        const style = decoderStyles.find((other) => other.name === name)!;
        const model = quantiseProducts(buildDecoder(style, { hidden: 64, layers: 2 }), quantisation);
        const decoder = readDecoder(model);
        expect(readNeurons(decoder).neurons[0]!.together).toBe(16);
        await expectRemovedEqualsZeroed(decoder, 1e-5);
      }
    },
  );

  it.each(QUANTISATIONS.filter((name) => name.startsWith('DequantizeLinear')))(
    'in weights behind %s',
    async (quantisation) => {
      const model = quantiseProducts(
        buildDecoder(decoderStyles[0]!, { hidden: 64, layers: 2, opset: 21 }),
        quantisation,
      );
      await expectRemovedEqualsZeroed(readDecoder(model), 1e-5);
    },
  );
});

describe('removed neurons', () => {
  it('leave the rest of float16 weights as they were', () => {
    const model = buildDecoder(decoderStyles[0]!, { layers: 2 });
    const cutOf = (source: OnnxModel) => {
      const decoder = readDecoder(source);
      const kept = new Map(readNeurons(decoder).neurons.map((own) => [own.block, someKept(own)]));
      return written(removeNeurons(decoder, kept)).model;
    };
    const bytesOf = (source: OnnxModel) =>
      new Map(source.graph.initializer.map((tensor) => [tensor.name, tensorBytes(tensor, undefined)]));
    const before = bytesOf(cutOf(narrowFloats(model, DataType.FLOAT16)));
    expect(before).toEqual(bytesOf(narrowFloats(cutOf(model), DataType.FLOAT16)));
  });
});

describe('neurons that cannot be removed', () => {
  it('are those of a mixture of experts', () => {
    const { neurons, problems } = readNeurons(readDecoder(buildDecoder(mixtral, { layers: 1 })));
    expect(neurons).toEqual([]);
    expect(problems.get('mlp 0')).toBe('it is a mixture of experts');
  });

  it.each(['MatMulInteger', 'MatMulBnb4'] as const)('are those of a %s weight', (quantisation) => {
    const model = quantiseProducts(buildDecoder(decoderStyles[0]!, { layers: 1 }), quantisation);
    expect(neuronsProblem(readDecoder(model))).toMatch(
      new RegExp(`^The neurons of the block 'mlp 0' cannot be removed, because .*${quantisation}.*; leave`),
    );
  });
});
