import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { largestDifference, runDecoder } from '../../../../test/graphs/run-decoder.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { readModel } from '../../onnx/file/model-file.js';
import { floatTensor } from '../../onnx/graph/tensor.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { emptyCache, tokenFeeds } from '../../runtime/decoder-feeds.js';
import { openSession, type Feeds } from '../../runtime/session.js';
import { float32Tensor, float32Values } from '../../runtime/tensors.js';
import type { Decoder } from '../decoder.js';
import { insertGates, type Gate, type GateOptions } from './gates.js';
import { readDecoder } from '../read/read-decoder.js';
import { addToStream } from './stream-offsets.js';

const llama = decoderStyles[0]!;
const everything: GateOptions = { granularity: 'channel', offset: () => ({}) };

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
    expect(gates).toHaveLength(72);
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
    const { decoder, gates } = insertGates(readDecoder(buildDecoder(llama, { layers: 1 })), everything);
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
      {
        name: 'hopscotch.offset.attention.0',
        kind: 'offset',
        block: 'attention 0',
        step: 0,
        shape: [1, 1, 16],
      },
      { name: 'hopscotch.block.mlp.0', kind: 'block', block: 'mlp 0', step: 1, shape: [1, 1, 16] },
      { name: 'hopscotch.residual.mlp.0', kind: 'residual', block: 'mlp 0', step: 1, shape: [1, 1, 1] },
      { name: 'hopscotch.offset.mlp.0', kind: 'offset', block: 'mlp 0', step: 1, shape: [1, 1, 16] },
    ]);
    expect(decoder.inputs.others).toEqual([]);
  });

  it('puts gates only where they are asked for', () => {
    const { gates } = insertGates(readDecoder(buildDecoder(llama)), {
      block: (block) => (block.kind === 'attention' && block.layer > 0 ? { perRow: true } : undefined),
      residual: () => undefined,
    });
    expect(gates.map((gate) => [gate.name, gate.shape])).toEqual([
      ['hopscotch.block.attention.1', ['rows', 1, 1]],
      ['hopscotch.block.attention.2', ['rows', 1, 1]],
    ]);
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

  it('lets each row of a batch have its own scales', async () => {
    const decoder = readDecoder(buildDecoder(llama, { cache: false }));
    const scales = [0.5, 0, 1.25];
    const { decoder: gated, gates } = insertGates(decoder, { perRow: true });
    const together = await logits(gated, gates, scales);
    for (const [row, scale] of scales.entries()) {
      const alone = insertGates(decoder);
      const expected = await logits(alone.decoder, alone.gates, [scale]);
      const width = together.length / scales.length;
      expect(together.subarray(row * width, (row + 1) * width)).toEqual(expected);
    }
  });

  it.each(decoderStyles)('computes b * block + s * x + offset in $name', async (style) => {
    const decoder = readDecoder(buildDecoder(style, { cache: false, layers: 1 }));
    const { decoder: gated, gates } = insertGates(decoder, { offset: () => ({}) });
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
        expect(value).toBeCloseTo(sum + gate('offset'), 4);
      });
    });
  });
});

describe('addToStream', () => {
  it('does what an offset gate of the same value does', async () => {
    const decoder = readDecoder(buildDecoder(llama));
    const { decoder: gated, gates } = insertGates(decoder, {
      block: () => undefined,
      residual: () => undefined,
      offset: (_, index) => (index === 1 ? {} : undefined),
    });
    const expected = await runDecoder(gated, { gates: { all: gates, values: { [gates[0]!.name]: 0.25 } } });
    const copy = readDecoder(buildDecoder(llama));
    copy.graph.addInitializer(floatTensor('offset', [16], new Float32Array(16).fill(0.25)));
    const added = addToStream(copy, { afterStep: 1 }, 'offset');
    expect(largestDifference(expected, await runDecoder(added))).toBe(0);
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

/** Logits of the same tokens in every row, all scales of row i being `scales[i]`. */
async function logits(
  decoder: Decoder,
  gates: readonly Gate[],
  scales: readonly number[],
): Promise<Float32Array> {
  const rows = scales.length;
  const ids = scales.flatMap(() => [3, 1, 4, 1, 5]);
  const session = await openSession(decoder.model, { threads: 1 });
  const feeds: Feeds = { ...tokenFeeds(decoder, { rows, positions: 5, ids }), ...emptyCache(decoder, rows) };
  for (const gate of gates) feeds[gate.name] = float32Tensor([...scales], [rows, 1, 1]);
  const results = await session.run(feeds, [decoder.logits]);
  await session.release();
  return float32Values(results[decoder.logits]!);
}

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
