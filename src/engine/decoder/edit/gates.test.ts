import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { largestDifference, runDecoder } from '../../../../test/graphs/run-decoder.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { readModel } from '../../onnx/file/model-file.js';
import { floatTensor } from '../../onnx/graph/tensor.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { float32Values } from '../../runtime/tensors.js';
import type { Decoder } from '../decoder.js';
import { insertGates, type Gate, type GateOptions } from './gates.js';
import { readDecoder } from '../read/read-decoder.js';
import { addToStream } from './stream-offsets.js';

const llama = decoderStyles[0]!;
const everything: GateOptions = { granularity: 'channel', gains: true };

describe('insertGates', () => {
  it.each(decoderStyles)('leaves $name as it is while all gates are open', async (style) => {
    const decoder = readDecoder(buildDecoder(style));
    const plain = await runDecoder(decoder);
    for (const options of [{}, everything]) {
      const { decoder: gated, gates } = insertGates(decoder, options);
      expect(largestDifference(plain, await runDecoder(gated, { gates: { all: gates, values: {} } }))).toBe(
        0,
      );
    }
  });

  it('leaves the sample model as it is while all gates are open', async () => {
    const decoder = readDecoder(await readModel(path.join(sampleFolder, 'onnx', 'model.onnx')));
    const { decoder: gated, gates } = insertGates(decoder, everything);
    expect(gates).toHaveLength(24 + 24 + 25);
    const open = await runDecoder(gated, { gates: { all: gates, values: {} } });
    expect(largestDifference(await runDecoder(decoder), open)).toBe(0);
  });

  it.skipIf(!hasShared)(`casts gates of a float16 model${sharedReason}`, async () => {
    const decoder = readDecoder(await readModel(sharedPath('sample/onnx/optimum-fp16.onnx')));
    const { decoder: gated, gates } = insertGates(decoder, everything);
    const open = await runDecoder(gated, { gates: { all: gates, values: {} } });
    expect(largestDifference(await runDecoder(decoder), open)).toBe(0);
  });

  it('names gates and says what they belong to', () => {
    const { decoder, gates } = insertGates(readDecoder(buildDecoder(llama, { layers: 1 })), {
      granularity: 'channel',
    });
    expect(gates).toEqual([
      {
        name: 'hopscotch.block.attention.0',
        kind: 'block',
        block: 'attention 0',
        step: 0,
        shape: [1, 1, 16],
      },
      {
        name: 'hopscotch.residual.attention.0',
        kind: 'residual',
        block: 'attention 0',
        step: 0,
        shape: [1, 1, 1],
      },
      { name: 'hopscotch.block.mlp.0', kind: 'block', block: 'mlp 0', step: 1, shape: [1, 1, 16] },
      { name: 'hopscotch.residual.mlp.0', kind: 'residual', block: 'mlp 0', step: 1, shape: [1, 1, 1] },
    ]);
    expect(decoder.inputs.others).toEqual([]);
  });

  it('scales both blocks and the stream of a parallel residual', () => {
    const neox = decoderStyles.find((style) => style.name === 'gpt-neox')!;
    const { gates } = insertGates(readDecoder(buildDecoder(neox, { layers: 1 })));
    expect(gates.map((gate) => gate.name)).toEqual([
      'hopscotch.block.attention.0',
      'hopscotch.block.mlp.0',
      'hopscotch.residual.attention.0',
    ]);
  });

  it.each(decoderStyles)('computes b * block + s * x in $name', async (style) => {
    const decoder = readDecoder(buildDecoder(style, { cache: false, layers: 1 }));
    const { decoder: gated, gates } = insertGates(decoder);
    const values = Object.fromEntries(gates.map(({ name }, index) => [name, 0.3 + 0.2 * index]));
    const given = await streamValues(gated, gates, values);
    gated.steps.forEach((step, index) => {
      const gate = (kind: Gate['kind'], block?: string) =>
        values[
          gates.find((g) => g.step === index && g.kind === kind && (!block || g.block === block))!.name
        ]!;
      const input = given(step.input);
      const scaled = step.blocks.map((block) => given(block.output));
      const output = given(
        index + 1 < gated.steps.length ? gated.steps[index + 1]!.input : gated.finalNorm.input,
      );
      output.forEach((value, element) => {
        const sum = scaled.reduce(
          (total, block) => total + block[element]!,
          gate('residual') * input[element]!,
        );
        expect(value).toBeCloseTo(sum, 4);
      });
    });
  });
});

describe('addToStream', () => {
  it('adds to what a step gives, for all that reads it', async () => {
    const decoder = readDecoder(buildDecoder(llama, { cache: false }));
    const given = await streamValues(decoder, [], {});
    const before = given(decoder.steps[1]!.output);
    const copy = readDecoder(buildDecoder(llama, { cache: false }));
    copy.graph.addInitializer(floatTensor('offset', [16], new Float32Array(16).fill(0.25)));
    const added = addToStream(copy, { afterStep: 1 }, 'offset');
    const after = (await streamValues(added, [], {}))(added.steps[2]!.input);
    expect(Array.from(after)).toEqual(Array.from(before, (value) => Math.fround(value + 0.25)));
  });

  it('adds to the embedding', async () => {
    const decoder = readDecoder(buildDecoder(llama));
    const before = await runDecoder(decoder);
    decoder.graph.addInitializer(floatTensor('offset', [16], new Float32Array(16).fill(0.25)));
    const added = addToStream(decoder, 'embedding', 'offset');
    expect(added.steps).toHaveLength(6);
    expect(largestDifference(before, await runDecoder(added))).toBeGreaterThan(0.01);
  });
});

/** Values inside the graph, made outputs for the purpose. */
async function streamValues(
  decoder: Decoder,
  gates: readonly Gate[],
  values: Readonly<Record<string, number>>,
): Promise<(name: string) => Float32Array> {
  const wanted = new Set(decoder.steps.flatMap((step) => [step.input, ...step.blocks.map((b) => b.output)]));
  wanted.add(decoder.finalNorm.input);
  for (const name of wanted) {
    decoder.graph.proto.output.push(makeValueInfo(name, DataType.FLOAT, [undefined, undefined, undefined]));
  }
  const [results] = await runDecoder(decoder, { gates: { all: gates, values } });
  return (name) => float32Values(results![name]!);
}
