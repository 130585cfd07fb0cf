import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { runDecoder } from '../../../test/graphs/run-decoder.js';
import {
  hasShared,
  repositoryRoot,
  sampleFolder,
  sharedPath,
  sharedReason,
} from '../../../test/support/shared-folder.js';
import { importModel } from '../../../test/support/import-model.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { loadTokenizer } from '../data/tokenizer.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { setAttribute } from '../onnx/graph/attributes.js';
import { readModel } from '../onnx/file/model-file.js';
import { findImportable, openImportable } from './sources/open-source.js';

const sampleGguf = path.join(repositoryRoot, 'test', 'gguf', 'sample.gguf');

/** Logits at each position, computed in float32 throughout. */
async function logitsOf(folder: string, ids: readonly number[]): Promise<Float32Array> {
  const model = await readModel(path.join(folder, 'model.onnx'));
  for (const node of model.graph.node)
    if (node.opType === 'MatMulNBits') setAttribute(node, 'accuracy_level', 1);
  const [run] = await runDecoder(readDecoder(model), {
    rows: 1,
    positions: [ids.length, 1],
    tokens: (position) => ids[position % ids.length]!,
  });
  return run!.logits!.data as Float32Array;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a, (value, index) => Math.abs(value - b[index]!)).reduce((x, y) => Math.max(x, y), 0);
}

describe('a GGUF file with a type for each weight', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await importModel(sampleGguf);
  });

  it('gives the logits that transformers gives for the same file', async () => {
    const { ids, logits } = JSON.parse(
      readFileSync(path.join(repositoryRoot, 'test', 'gguf', 'logits.json'), 'utf8'),
    ) as { ids: number[]; logits: string };
    const expected = new Float32Array(new Uint8Array(Buffer.from(logits, 'base64')).buffer);
    // Minima of Q4_1 and Q5_1 are moved to whole zero points; all else is exact.
    expect(largestDifference(await logitsOf(folder, ids), expected)).toBeLessThan(0.02);
  });

  it('cuts text into the tokens of the tokenizer that it was made of, and has its chat template', async () => {
    const [own, original] = await Promise.all([loadTokenizer(folder), loadTokenizer(sampleFolder)]);
    const text = "It's 58 + 17 = 75.\n\n  <|user|>naïve 日本語 ١٢٣ 🙂\t<|end|>";
    expect(own.encode(text)).toEqual(original.encode(text));
    expect(own.decode(own.encode(text))).toBe(text);
    const conversation = [{ role: 'user', content: 'Hello' }] as const;
    expect(own.chatTemplate!.render(conversation, { addGenerationPrompt: true })).toBe(
      original.chatTemplate!.render(conversation, { addGenerationPrompt: true }),
    );
    expect(own.eosTokenIds).toEqual(original.eosTokenIds);
  });

  it('keeps codes as codes: the folder is hardly larger than the file', () => {
    const size = (file: string) => readFileSync(file).length;
    expect(size(path.join(folder, 'model.onnx_data'))).toBeLessThan(1.5 * size(sampleGguf));
  });
});

describe.skipIf(!hasShared)(`a folder with safetensors${sharedReason}`, () => {
  it('gives the logits of the same model as ONNX', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    for (const name of [
      'model.safetensors',
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
      copyFileSync(sharedPath('sample', name), path.join(folder, name));
    const ids = [0, 1, 300, 42, 511, 17, 600, 2];
    const own = await logitsOf(await importModel(folder), ids);
    const original = readDecoder(await readModel(path.join(sampleFolder, 'onnx', 'model.onnx')));
    const [run] = await runDecoder(original, {
      rows: 1,
      positions: [ids.length, 1],
      tokens: (position) => ids[position % ids.length]!,
    });
    expect(largestDifference(own, run!.logits!.data as Float32Array)).toBeLessThan(1e-3);
  });
});

describe('what cannot be taken is told in a sentence', () => {
  const folderOf = (files: Record<string, string>) => {
    const folder = temporaryFolder();
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
    return folder;
  };
  it.each([
    [
      'a LoRA adapter',
      { 'adapter_config.json': '{}', 'adapter_model.safetensors': '' },
      /LoRA adapter.*merge/,
    ],
    ['a pickle', { 'config.json': '{}', 'pytorch_model.bin': '' }, /pickle.*can run code/],
    [
      'an MLX folder',
      { 'config.json': '{"quantization": {"bits": 4}}', 'model.safetensors': '' },
      /quantised in a way of another runtime \('?MLX'?\)/,
    ],
    [
      'another architecture',
      { 'config.json': '{"model_type": "mamba"}', 'model.safetensors': '' },
      /architecture 'mamba'.*Llama/,
    ],
    ['weights without a config', { 'model.safetensors': '' }, /no config\.json/],
    ['several files', { 'a.gguf': '', 'b.gguf': '' }, /several GGUF files \(a\.gguf, b\.gguf\)/],
    ['a file that is none', { 'a.gguf': 'GGUB and some more bytes for it' }, /is not a GGUF file/],
  ])('%s', (_, files, message) => {
    const folder = folderOf(files);
    expect(() => openImportable(findImportable(folder)!)).toThrow(message);
  });
});
