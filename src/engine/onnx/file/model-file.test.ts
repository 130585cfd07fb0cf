import { equals } from '@bufbuild/protobuf';
import { readFileSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { UserError } from '../../../schema/errors.js';
import { DataType } from '../graph/data-types.js';
import { Graph } from '../graph/graph.js';
import {
  copyModel,
  decodeModel,
  encodeModel,
  externalFiles,
  initializersOf,
  opsetVersion,
  readModel,
  setMetadata,
  writeModel,
} from './model-file.js';
import { ModelProtoSchema } from './onnx_pb.js';
import { tensorBytes, tensorToFloat32 } from '../graph/tensor.js';

const samplePath = path.join(sampleFolder, 'onnx', 'model.onnx');

describe('an unchanged model', () => {
  it('round-trips to an equal graph', async () => {
    const model = await readModel(samplePath);
    const again = decodeModel(encodeModel(model), undefined, 'copy');
    expect(equals(ModelProtoSchema, again.proto, model.proto)).toBe(true);
    expect(opsetVersion(model)).toBe(14);
  });

  it('survives being written with its weights moved to a data file and read again', async () => {
    const model = await readModel(samplePath);
    const file = path.join(temporaryFolder(), 'model.onnx');
    await writeModel(model, file, { moveToExternal: { location: 'model.onnx_data', above: 1024 } });
    const again = await readModel(file);
    expect(externalFiles(again)).toEqual(['model.onnx_data']);
    expect(readFileSync(file).length).toBeLessThan(1_000_000);
    const originals = new Map(initializersOf(model.graph).map((tensor) => [tensor.name, tensor]));
    for (const tensor of initializersOf(again.graph)) {
      const original = tensorBytes(originals.get(tensor.name)!, model.folder);
      expect(Buffer.compare(tensorBytes(tensor, again.folder), original)).toBe(0);
    }
  });

  it.skipIf(!hasShared)(`keeps every fixture's graph, unknown parts included${sharedReason}`, async () => {
    for (const name of ['ort-testdata/gpt2_past.onnx', 'refuse/3layer_bloom_optimized_training.onnx']) {
      const file = sharedPath('models', 'fixtures', name);
      const model = await readModel(file);
      const again = decodeModel(encodeModel(model), undefined, name);
      expect(equals(ModelProtoSchema, again.proto, model.proto)).toBe(true);
    }
  });
});

describe('a copy', () => {
  it('can be edited without touching the original', async () => {
    const model = await readModel(samplePath);
    const nodes = model.graph.node.length;
    const copy = copyModel(model);
    new Graph(copy.graph).addNode('Identity', [copy.graph.input[0]!.name]);
    setMetadata(copy, 'key', 'value');
    copy.graph.initializer[0]!.name = 'renamed';
    expect(model.graph.node.length).toBe(nodes);
    expect(model.proto.metadataProps).toHaveLength(0);
    expect(model.graph.initializer[0]!.name).not.toBe('renamed');
  });
});

describe('external data', () => {
  it.skipIf(!hasShared)(`is read only when a weight is asked for${sharedReason}`, async () => {
    const model = await readModel(sharedPath('sample', 'onnx', 'optimum-sdpa-external.onnx'));
    const inline = await readModel(samplePath);
    expect(externalFiles(model)).toEqual(['optimum-sdpa-external.onnx_data']);
    const name = 'model.layers.3.mlp.down_proj.weight';
    const find = (graph: typeof model.graph) => graph.initializer.find((tensor) => tensor.name === name)!;
    expect(find(model.graph).rawData.length).toBe(0);
    expect(tensorToFloat32(find(model.graph), model.folder)).toEqual(
      tensorToFloat32(find(inline.graph), inline.folder),
    );
  });

  async function externalModel(location: string, prepare: (folder: string) => void = () => {}) {
    const folder = temporaryFolder();
    const source = await readModel(samplePath);
    await writeModel(source, path.join(folder, 'model.onnx'), {
      moveToExternal: { location: 'weights.bin', above: 1024 },
    });
    const model = await readModel(path.join(folder, 'model.onnx'));
    const tensor = model.graph.initializer.find((candidate) => candidate.externalData.length > 0)!;
    tensor.externalData.find((entry) => entry.key === 'location')!.value = location;
    prepare(folder);
    return { tensor, folder };
  }

  it.each(['../weights.bin', '/etc/passwd', 'C:\\weights.bin', 'a/../../b', '..\\weights.bin'])(
    'that leaves the folder by %s is refused',
    async (location) => {
      const { tensor, folder } = await externalModel(location);
      expect(() => tensorBytes(tensor, folder)).toThrow(/outside of the model's folder/);
    },
  );

  it('that leaves the folder through a link is refused', async () => {
    const { tensor, folder } = await externalModel('link.bin', (inside) => {
      const outside = path.join(temporaryFolder(), 'secret.bin');
      writeFileSync(outside, 'secret');
      symlinkSync(outside, path.join(inside, 'link.bin'));
    });
    expect(() => tensorBytes(tensor, folder)).toThrow(/outside of the model's folder/);
  });

  it('that is missing or too short is named', async () => {
    const missing = await externalModel('elsewhere.bin');
    expect(() => tensorBytes(missing.tensor, missing.folder)).toThrow(
      /'elsewhere.bin' of the model is missing/,
    );
    const short = await externalModel('weights.bin', (folder) =>
      writeFileSync(path.join(folder, 'weights.bin'), 'x'),
    );
    expect(() => tensorBytes(short.tensor, short.folder)).toThrow(/not downloaded completely/);
  });

  it('of a Hugging Face cache, where files are links into blobs, is read', async () => {
    const root = temporaryFolder();
    const [blobs, snapshot] = [path.join(root, 'blobs'), path.join(root, 'snapshots', 'abc')];
    mkdirSync(blobs);
    mkdirSync(snapshot, { recursive: true });
    await writeModel(await readModel(samplePath), path.join(blobs, 'graph'), {
      moveToExternal: { location: 'model.onnx_data', above: 1024 },
    });
    symlinkSync('../../blobs/graph', path.join(snapshot, 'model.onnx'));
    symlinkSync('../../blobs/model.onnx_data', path.join(snapshot, 'model.onnx_data'));
    const model = await readModel(path.join(snapshot, 'model.onnx'));
    const tensor = model.graph.initializer.find((candidate) => candidate.dataType === DataType.FLOAT)!;
    expect(tensorBytes(tensor, model.folder).length).toBeGreaterThan(0);
  });

  it('never overwrites the weights of the source', async () => {
    const { folder } = await externalModel('weights.bin');
    const model = await readModel(path.join(folder, 'model.onnx'));
    await expect(writeModel(model, path.join(folder, 'other.onnx'))).rejects.toThrow(
      /source model's own weights/,
    );
  });
});

describe('a file that is not a model', () => {
  it('is refused with one sentence', async () => {
    const file = path.join(temporaryFolder(), 'text.onnx');
    writeFileSync(file, 'this is no model at all, really');
    await expect(readModel(file)).rejects.toThrow(UserError);
    writeFileSync(file, '');
    await expect(readModel(file)).rejects.toThrow(/holds no graph/);
    await expect(readModel(path.join(file, 'none'))).rejects.toThrow(/There is no model file/);
  });
});
