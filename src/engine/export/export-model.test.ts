import type { BlockName } from '../../schema/blocks.js';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportSample, freshPath } from '../../../test/support/export-sample.js';
import { hasShared, sampleFolder, sharedPath, sharedReason } from '../../../test/support/shared-folder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { readModel } from '../onnx/file/model-file.js';
import type { ExportedModel } from './export-model.js';

const skipped: readonly BlockName[] = ['attention 8', 'attention 0', 'mlp 4'];

describe('an exported folder', () => {
  let exported: ExportedModel;
  let sourceBefore: Record<string, string>;
  const json = (name: string) =>
    JSON.parse(readFileSync(path.join(exported.folder, name), 'utf8')) as unknown;
  beforeAll(async () => {
    sourceBefore = hashes(sampleFolder);
    exported = await exportSample({ skipped });
  });

  it('holds the model, its configs and tokenizer, the record and a README, and nothing else', () => {
    expect(Object.keys(hashes(exported.folder))).toEqual([
      'README.md',
      'config.json',
      'generation_config.json',
      'hopscotch.json',
      'onnx/model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readdirSync(path.dirname(exported.folder))).toEqual([path.basename(exported.folder)]);
  });

  it('left its source as it was', () => {
    expect(hashes(sampleFolder)).toEqual(sourceBefore);
  });

  it('has as many hidden layers as KV caches, which are numbered densely', async () => {
    const config = JSON.parse(readFileSync(path.join(sampleFolder, 'config.json'), 'utf8')) as object;
    expect(json('config.json')).toEqual({ ...config, num_hidden_layers: 10 });
    const decoder = readDecoder(await readModel(exported.modelPath));
    const names = Array.from({ length: 10 }, (_, layer) => [
      `past_key_values.${layer}.key`,
      `past_key_values.${layer}.value`,
    ]).flat();
    expect(decoder.inputs.cache).toEqual(names);
    expect(exported.keptLayers).toEqual([1, 2, 3, 4, 5, 6, 7, 9, 10, 11]);
  });

  it('keeps tokenizer and generation settings byte for byte', () => {
    const now = hashes(exported.folder);
    for (const name of ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json'])
      expect(now[name]).toBe(sourceBefore[name]);
  });

  it('says in hopscotch.json and in the ONNX file how it came to be', async () => {
    const record = json('hopscotch.json') as Record<string, unknown>;
    expect(record).toMatchObject({
      version: 1,
      original_model: 'sample',
      original_layers: 12,
      skipped_blocks: skipped,
      kv_cache_layers: exported.keptLayers,
      task: 'arithmetic',
      strategy: 'exhaustive',
      scale_granularity: 'channel',
      mode: 'folded',
      figures: { 'loss of a response token': { original: '0.0020', slimmed: '0.0190' } },
      verification: exported.verification,
    });
    expect(Object.keys(record.scales as object)).toContain('block mlp 11');
    const { proto } = await readModel(exported.modelPath);
    const metadata = Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value]));
    expect(JSON.parse(metadata['hopscotch.skipped_blocks']!)).toEqual(skipped);
    expect(JSON.parse(metadata['hopscotch.kv_cache_layers']!)).toEqual(exported.keptLayers);
    expect(metadata['hopscotch.original_layers']).toBe('12');
  });

  it('says in its README what is missing, how well it does, and how to use it', () => {
    const text = readFileSync(path.join(exported.folder, 'README.md'), 'utf8');
    expect(text).toContain('# sample, slimmed for arithmetic');
    expect(text).toContain('attention 8, attention 0, mlp 4');
    expect(text).toContain('| loss of a response token | 0.0020 | 0.0190 |');
    expect(text).toContain("pipeline('text-generation'");
  });

  it('is smaller by the weights of the skipped blocks', () => {
    // Attention 128 x (128 + 64 + 64 + 128), MLP 3 x 128 x 352, and a norm of 128 each; float32.
    const weights = 4 * (2 * (128 * 384 + 128) + 3 * 128 * 352 + 128);
    const saved = exported.originalBytes - exported.slimmedBytes;
    expect(saved).toBeGreaterThan(weights);
    expect(saved).toBeLessThan(weights * 1.1);
  });

  it('was checked against the trained model on every response position', () => {
    const { largestDifference, tolerance, positions, isSame } = exported.verification;
    expect(positions).toBeGreaterThan(50);
    expect(isSame).toBe(true);
    expect(largestDifference).toBeLessThan(1e-4);
    expect(tolerance).toBeLessThan(5e-3);
  });
});

describe('an export that fails', () => {
  it('leaves nothing behind when it breaks half-way', async () => {
    const from = copyOfSample();
    rmSync(path.join(from, 'tokenizer_config.json'));
    symlinkSync('nowhere', path.join(from, 'tokenizer_config.json'));
    const output = freshPath('slimmed');
    await expect(exportSample({ skipped, from, output })).rejects.toThrow(
      /^The model could not be written to .*Nothing was left behind[.;]/,
    );
    expect(readdirSync(path.dirname(output))).toEqual([]);
  });

  it('says so when the output cannot be written', async () => {
    const file = freshPath('a-file-in-the-way');
    writeFileSync(file, '');
    await expect(exportSample({ skipped, output: path.join(file, 'slimmed') })).rejects.toThrow(
      /^The model could not be written to .*Nothing was left behind[.;]/,
    );
  });

  it.each([
    ['the source itself', '.'],
    ['a folder in the source', 'slimmed'],
    ['a folder that holds the source', '..'],
  ])('because the output is %s changes nothing', async (_, output) => {
    const from = copyOfSample();
    const before = hashes(from);
    await expect(exportSample({ skipped, from, output: path.join(from, output) })).rejects.toThrow(
      /is the source model's own or holds it; choose another, the source is never changed\.$/,
    );
    expect(hashes(from)).toEqual(before);
  });

  it('because the output exists leaves what is there', async () => {
    const output = freshPath('slimmed');
    mkdirSync(output);
    writeFileSync(path.join(output, 'precious.txt'), 'kept');
    await expect(exportSample({ skipped, output })).rejects.toThrow(
      /exists already and is not an empty folder; choose another name or delete it\.$/,
    );
    expect(readFileSync(path.join(output, 'precious.txt'), 'utf8')).toBe('kept');
  });
});

it('an export may go into an empty folder that exists', async () => {
  const output = freshPath('slimmed');
  mkdirSync(output);
  const { folder } = await exportSample({ skipped, output });
  expect(folder).toBe(output);
  expect(existsSync(path.join(output, 'hopscotch.json'))).toBe(true);
});

describe.skipIf(!hasShared)(`other layouts of the sample${sharedReason}`, () => {
  it.each([
    'optimum-fp32.onnx',
    'optimum-fp16.onnx',
    'optimum-sdpa-external.onnx',
    'optimum-q4.onnx',
    'optimum-int8.onnx',
    'genai-fp32.onnx',
    'genai-fp16.onnx',
    'genai-q4.onnx',
    'genai-packed.onnx',
  ])('%s is exported and checked', async (file) => {
    const from = copyOfSample();
    rmSync(path.join(from, 'onnx', 'model.onnx'));
    for (const name of [file, `${file}_data`]) {
      const source = sharedPath('sample', 'onnx', name);
      if (existsSync(source)) cpSync(source, path.join(from, 'onnx', name));
    }
    const exported = await exportSample({ skipped, from });
    expect(exported.slimmedBytes).toBeLessThan(exported.originalBytes);
    expect(exported.verification.largestDifference).toBeLessThan(exported.verification.tolerance);
    const names = file.includes('external') ? [file, `${file}_data`] : [file];
    expect(readdirSync(path.dirname(exported.modelPath))).toEqual(names);
  });
});

function copyOfSample(): string {
  const folder = freshPath('sample');
  for (const name of [
    'config.json',
    'generation_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'onnx',
  ])
    cpSync(path.join(sampleFolder, name), path.join(folder, name), { recursive: true });
  return folder;
}

/** Hash of each file by its path in the folder; the sample's tasks aside. */
function hashes(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  return Object.fromEntries(
    paths
      .filter((name) => !name.startsWith('tasks'))
      .toSorted()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(path.join(folder, name)))
          .digest('hex'),
      ]),
  );
}
