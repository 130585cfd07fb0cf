/** Models in several files: what is imported of them is, byte for byte, what is imported of the same model in one. */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ggufFile } from '../../../test/fuzz/gguf-file.js';
import { importModel } from '../../../test/support/import-model.js';
import { repositoryRoot } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { ggmlType } from './blocks/index.js';
import { readGguf } from './formats/gguf.js';
import { rowsOf } from './formats/source-tensor.js';
import { findImportable, openImportable } from './sources/open-source.js';

const families = path.join(repositoryRoot, 'test', 'families');
const gguf = path.join(families, 'phi3', 'model.gguf');

const partName = (part: number, count: number) =>
  `model-${String(part).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.gguf`;

/** As llama.cpp splits a file: the metadata in the first part, the weights in turn. */
function splitGguf(count: number): string {
  const { metadata, tensors, close } = readGguf(gguf);
  const entries = [...tensors.values()].map((tensor) => ({
    name: tensor.name,
    dims: tensor.dims.toReversed(),
    type: Array.from({ length: 40 }, (_, id) => id).find((id) => ggmlType(id) === tensor.type),
    data: tensor.readRows(0, rowsOf(tensor)),
  }));
  close();
  const folder = temporaryFolder();
  const each = Math.ceil(entries.length / count);
  for (let part = 0; part < count; part += 1) {
    const content = {
      metadata: {
        ...(part === 0 ? Object.fromEntries(metadata) : {}),
        'split.no': part,
        'split.count': count,
        'split.tensors.count': entries.length,
      },
      tensors: entries.slice(part * each, (part + 1) * each),
    };
    writeFileSync(path.join(folder, partName(part + 1, count)), ggufFile(content));
  }
  return folder;
}

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** Hugging Face's form: weights in turn in files that an index names. */
function shardedSafetensors(count: number): string {
  const source = path.join(families, 'phi3');
  const bytes = readFileSync(path.join(source, 'model.safetensors'));
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Header;
  const folder = temporaryFolder();
  const weightMap: Record<string, string> = {};
  for (let part = 0; part < count; part += 1) {
    const file = `model-${part + 1}-of-${count}.safetensors`;
    const own: Header = {};
    const data: Buffer[] = [];
    let end = 0;
    for (const [name, entry] of Object.entries(header).filter((__, index) => index % count === part)) {
      const [first, last] = entry.data_offsets;
      data.push(bytes.subarray(8 + length + first, 8 + length + last));
      own[name] = { ...entry, data_offsets: [end, end + last - first] };
      end += last - first;
      weightMap[name] = file;
    }
    const text = Buffer.from(JSON.stringify(own));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(path.join(folder, file), Buffer.concat([size, text, ...data]));
  }
  writeFileSync(path.join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  copyFileSync(path.join(source, 'config.json'), path.join(folder, 'config.json'));
  return folder;
}

async function expectSame(location: string, whole: string): Promise<void> {
  const [folder, expected] = await Promise.all([importModel(location), importModel(whole)]);
  for (const name of [
    'model.onnx',
    'model.onnx_data',
    'config.json',
    'genai_config.json',
    'tokenizer.json',
  ]) {
    expect(existsSync(path.join(folder, name)), name).toBe(existsSync(path.join(expected, name)));
    if (!existsSync(path.join(folder, name))) continue;
    const [own, other] = [folder, expected].map((at) => readFileSync(path.join(at, name)));
    expect(own!.equals(other!), name).toBe(true);
  }
}

describe('a GGUF file in three parts', () => {
  it.each([1, 2, 3])('is imported as the whole one, by the name of part %d', async (part) => {
    await expectSame(path.join(splitGguf(3), partName(part, 3)), gguf);
  });

  it('is found in its folder', async () => {
    await expectSame(splitGguf(3), gguf);
  });

  it('of which one is missing, is refused by its name', () => {
    const folder = splitGguf(3);
    rmSync(path.join(folder, partName(2, 3)));
    expect(() => openImportable(findImportable(folder)!)).toThrow(
      /one of 3 parts, but model-00002-of-00003\.gguf is not beside it/,
    );
  });
});

describe('weights in two safetensors files', () => {
  it('are imported as those of one', async () => {
    const whole = temporaryFolder();
    for (const name of ['config.json', 'model.safetensors'])
      copyFileSync(path.join(families, 'phi3', name), path.join(whole, name));
    await expectSame(shardedSafetensors(2), whole);
  });

  it('of which one is missing, are refused by its name', () => {
    const folder = shardedSafetensors(2);
    rmSync(path.join(folder, 'model-2-of-2.safetensors'));
    expect(() => openImportable(findImportable(folder)!)).toThrow(
      /'?model-2-of-2\.safetensors'? .*is missing/,
    );
  });
});
