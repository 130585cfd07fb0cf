import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { UserError } from '../../../schema/errors.js';
import { openModelFolder, otherFiles } from './model-folder.js';

/** A folder with a config.json and files of the given sizes. */
function folderWith(files: Record<string, number>): string {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, 'config.json'), '{}');
  for (const [name, size] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), Buffer.alloc(size));
  }
  return folder;
}

function chosen(files: readonly string[], wanted?: string): string {
  return openModelFolder(folderWith(Object.fromEntries(files.map((name) => [name, 1]))), wanted).modelFile;
}

describe('a folder with several variants of a model', () => {
  const variants = ['model.onnx', 'model_fp16.onnx', 'model_q4.onnx', 'model_q4f16.onnx'].map(
    (name) => `onnx/${name}`,
  );

  it('is opened in full precision, if nothing is said', () => {
    expect(chosen(variants)).toBe('onnx/model.onnx');
    expect(chosen(variants.slice(1))).toBe('onnx/model_fp16.onnx');
    expect(chosen(['decoder_model.onnx', 'decoder_model_merged.onnx'])).toBe('decoder_model_merged.onnx');
    expect(chosen(['onnx/model_q4.onnx'])).toBe('onnx/model_q4.onnx');
  });

  it.each(['q4f16', 'model_q4f16', 'model_q4f16.onnx', 'onnx/model_q4f16.onnx'])(
    'opens the one that is called %s',
    (name) => {
      expect(chosen(variants, name)).toBe('onnx/model_q4f16.onnx');
    },
  );

  it('opens a file in a deeper folder by its path, but none outside', () => {
    expect(chosen(['model.onnx', 'cpu/int4/model.onnx'], 'cpu/int4/model.onnx')).toBe('cpu/int4/model.onnx');
    expect(() => chosen(['model.onnx'], '../model.onnx')).toThrow(/There is no file/);
  });

  it('that an old Optimum wrote as a pair says which to take', () => {
    expect(() => chosen(['decoder_model.onnx', 'decoder_with_past_model.onnx'])).toThrow(
      /export it again with a newer Optimum.* or take the first of them/,
    );
    expect(chosen(['decoder_with_past_model.onnx'])).toBe('decoder_with_past_model.onnx');
  });

  it('lists the choices with their sizes, those of the weights beside included', () => {
    const folder = folderWith({
      'onnx/model_q4.onnx': 2_000_000,
      'onnx/model_q4.onnx_data': 118_000_000,
      'onnx/model_uint8.onnx': 700,
    });
    const list = 'onnx/model_q4.onnx (120 MB), onnx/model_uint8.onnx (1 kB)';
    expect(() => openModelFolder(folder)).toThrow(
      new UserError(`${folder} holds several ONNX files (${list}); say which one to take.`, {
        inCommands: '--model-file FILE',
      }),
    );
    expect(() => openModelFolder(folder, 'fp16')).toThrow(
      new UserError(`There is no file fp16 in ${folder}; it has ${list}.`),
    );
    expect(otherFiles(openModelFolder(folder, 'q4'))).toBe('onnx/model_uint8.onnx (1 kB)');
  });
});
