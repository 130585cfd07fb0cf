import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../../test/support/shared-folder.js';
import { dequantise } from './dequantise.js';
import { ggmlType } from './index.js';
import type { ElementType } from './element-type.js';

/** By the gguf package (test/gguf/write-samples.py): bytes, and the float32 that they stand for. */
const blocks = JSON.parse(
  readFileSync(path.join(repositoryRoot, 'test', 'gguf', 'blocks.json'), 'utf8'),
) as Record<string, [string, string]>;

const types = Array.from({ length: 40 }, (_, id) => ggmlType(id)).filter(
  (type): type is ElementType => type !== undefined && typeof type !== 'string',
);

describe('weights of GGUF files', () => {
  it.each(types.filter(({ name }) => name in blocks))(
    '$name stands for the numbers that ggml gives, to the bit',
    (type) => {
      const [bytes, values] = blocks[type.name]!.map((text) => new Uint8Array(Buffer.from(text, 'base64')));
      expect(new Uint8Array(dequantise(type, bytes!).buffer)).toEqual(values);
    },
  );

  it('every type with codes is among them', () => {
    expect(
      types
        .filter(({ coded }) => coded)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(
      Object.keys(blocks)
        .filter((name) => !/^B?F16$/.test(name))
        .toSorted(),
    );
  });
});
