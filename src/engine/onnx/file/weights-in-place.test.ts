/** Weights inside an ONNX file can be left there: the model is the same, its bytes are read when asked for. */
import { copyFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { encodeModel, externalFiles, readModel, type OnnxModel } from './model-file.js';
import { tensorBytes } from '../graph/tensor.js';
import { readModelApart, readModelInPlace, withWeightsFromFile } from './weights-in-place.js';

const sample = path.join(sampleFolder, 'onnx', 'model.onnx');

describe('a model read in place', () => {
  it('is the model read in whole', async () => await expectSame(sample));

  it.skipIf(!hasShared).each(['genai-q4', 'optimum-fp16', 'optimum-sdpa-external'])(
    `is the model read in whole (%s)${sharedReason}`,
    async (name) => await expectSame(sharedPath('sample', 'onnx', `${name}.onnx`)),
  );

  async function expectSame(file: string): Promise<void> {
    const whole = await readModel(file);
    const inPlace = readModelInPlace(file);
    expect(inPlace.graph.node).toEqual(whole.graph.node);
    expect(inPlace.graph.input).toEqual(whole.graph.input);
    expect(inPlace.proto.opsetImport).toEqual(whole.proto.opsetImport);
    expect(inPlace.graph.initializer).toHaveLength(whole.graph.initializer.length);
    expectSameWeights(inPlace, whole);
  }

  function expectSameWeights(model: OnnxModel, expected: OnnxModel): void {
    const weights = weightsOf(model);
    for (const [name, bytes] of weightsOf(expected))
      expect(Buffer.compare(weights.get(name)!, bytes), name).toBe(0);
  }

  it('holds no large weights in memory', () => {
    const { graph } = readModelInPlace(sample);
    const bytes = graph.initializer.reduce((sum, tensor) => sum + tensor.rawData.length, 0);
    expect(bytes).toBeLessThan(200e3);
    expect(externalFiles(readModelInPlace(sample))).toEqual(['model.onnx']);
  });

  it('can have each weight in memory of its own, where typed arrays can begin', async () => {
    const apart = readModelApart(sample);
    expect(externalFiles(apart)).toEqual([]);
    for (const { rawData } of apart.graph.initializer.filter((tensor) => tensor.rawData.length > 4096))
      expect(rawData.byteOffset % 8).toBe(0);
    expectSameWeights(apart, readModelInPlace(sample));
  });

  it('is run with the weights where they lie, as long as they are the ones that were read', async () => {
    const file = path.join(temporaryFolder(), 'model.onnx');
    copyFileSync(sample, file);
    const apart = readModelApart(file);
    const mapped = withWeightsFromFile(apart);
    expect(externalFiles(mapped)).toEqual(['model.onnx']);
    expect(encodeModel(mapped).length).toBeLessThan(400e3);
    expectSameWeights(mapped, apart);

    const replaced = apart.graph.initializer.find(({ rawData }) => rawData.length > 4096)!;
    replaced.rawData = new Uint8Array(replaced.rawData.length);
    const kept = withWeightsFromFile(apart).graph.initializer.find(({ name }) => name === replaced.name)!;
    expect(kept.rawData).toBe(replaced.rawData);

    utimesSync(file, 1, 1);
    expect(withWeightsFromFile(apart)).toBe(apart);
    await rm(file);
    expect(withWeightsFromFile(apart)).toBe(apart);
  });

  it('is refused if the file is cut short or is something else', () => {
    const folder = temporaryFolder();
    const write = (name: string, bytes: Uint8Array) => {
      writeFileSync(path.join(folder, name), bytes);
      return path.join(folder, name);
    };
    const content = readFileSync(sample);
    const damaged =
      /is not an ONNX model, or it is damaged or was not downloaded completely; download or export it again\.$/;
    expect(() => readModelInPlace(write('cut', content.subarray(0, 5e6)))).toThrow(damaged);
    expect(() => readModelInPlace(write('text', Buffer.from('a text, and no model at all')))).toThrow(
      damaged,
    );
    expect(() => readModelInPlace(write('empty', new Uint8Array()))).toThrow(/holds no graph/);
  });
});

function weightsOf({ graph, folder }: OnnxModel): Map<string, Uint8Array> {
  return new Map(
    graph.initializer.map((tensor) => [tensor.name, Uint8Array.from(tensorBytes(tensor, folder))]),
  );
}
