/** Models that turn positions by other tables beyond a border. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { importModel } from '../../../../test/support/import-model.js';
import { repositoryRoot } from '../../../../test/support/shared-folder.js';
import { readModel, type OnnxModel } from '../../onnx/file/model-file.js';
import { intAttribute, subgraphs } from '../../onnx/graph/attributes.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { isBeyondBorder } from '../decoder.js';
import { readDecoder } from './read-decoder.js';

const phi3 = path.join(repositoryRoot, 'test', 'families', 'phi3');
const ofBuilder = async () => await readModel(path.join(phi3, 'genai', 'model.onnx'));
const imported = async () =>
  await readModel(path.join(await importModel(path.join(phi3, 'model.gguf')), 'model.onnx'));

function choiceOf(model: OnnxModel): NodeProto {
  return model.graph.node.find(({ opType }) => opType === 'If')!;
}

function conditionOf(model: OnnxModel): NodeProto {
  const [condition] = choiceOf(model).input;
  return model.graph.node.find(({ output }) => output[0] === condition)!;
}

describe.each([
  ["onnxruntime-genai's builder", ofBuilder],
  ['the import', imported],
])('of a model with LongRoPE by %s', (_, model) => {
  it('the border and the whole context are known', async () => {
    const decoder = readDecoder(await model());
    expect(decoder.rotaryBorder).toBe(32);
    expect(decoder.contextLength).toBe(128);
    expect([32, 33].map((tokens) => isBeyondBorder(decoder, tokens))).toEqual([false, true]);
  });

  it('a border that is the first length beyond is known, too', async () => {
    const other = await model();
    conditionOf(other).opType = 'GreaterOrEqual';
    expect(readDecoder(other).rotaryBorder).toBe(31);
  });

  it('a choice by something else is refused in words', async () => {
    const other = await model();
    conditionOf(other).opType = 'Equal';
    expect(() => readDecoder(other)).toThrow(/by something else than a text's length \(the If node/);
  });
});

describe('tables in the branches of an If', () => {
  it('become weights that all copies share, and the branches read them', async () => {
    const original = await ofBuilder();
    const before = original.graph.initializer.length;
    const { model } = readDecoder(original);
    expect(original.graph.initializer).toHaveLength(before);
    const branches = subgraphs(choiceOf(model));
    expect(branches.map(({ node }) => node.map(({ opType }) => opType))).toEqual([
      ['Identity', 'Identity'],
      ['Identity', 'Identity'],
    ]);
    const weights = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
    const rows = branches.map(({ node }) =>
      node.map(({ input }) => weights.get(input[0]!)!.dims.map(Number)),
    );
    expect(rows).toEqual([
      [
        [128, 8],
        [128, 8],
      ],
      [
        [32, 8],
        [32, 8],
      ],
    ]);
  });
});

describe('a model without LongRoPE', () => {
  it('has no border', async () => {
    const file = path.join(repositoryRoot, 'test', 'families', 'lfm2', 'genai', 'model.onnx');
    const model = await readModel(file);
    expect(model.graph.node.some((node) => intAttribute(node, 'do_rotary', 0) === 1)).toBe(true);
    const decoder = readDecoder(model);
    expect(decoder.rotaryBorder).toBeUndefined();
    expect(isBeyondBorder(decoder, 1e6)).toBe(false);
  });
});
