import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../../../../test/graphs/genai-decoder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { declaredDims, makeValueInfo } from '../../onnx/graph/value-info.js';
import type { OnnxModel } from '../../onnx/file/model-file.js';
import type { Decoder } from '../decoder.js';
import { deleteBlocks } from '../edit/delete-blocks.js';
import { renumberCache } from '../edit/renumber-cache.js';
import { readDecoder } from './read-decoder.js';

function cacheDims(decoder: Decoder) {
  const { inputs, outputs } = decoder.graph;
  const caches = [...inputs, ...outputs].filter(({ name }) => /^(past|present)/.test(name));
  return caches.map((value) => declaredDims(value)!.filter((_, axis) => axis === 1 || axis === 3));
}

function withOpenCaches(model: OnnxModel): OnnxModel {
  for (const input of model.graph.input.filter(({ name }) => name.startsWith('past')))
    input.type = makeValueInfo(input.name, DataType.FLOAT, ['rows', 'heads', 'past', 'size']).type!;
  return model;
}

const llama = () => buildDecoder(decoderStyles.find(({ name }) => name === 'llama')!);

describe('a cache that leaves its head size open', () => {
  it.each(genaiStyles)('gets heads and head size from attention: $name', (style) => {
    const model = buildGenaiDecoder({ ...style, openHeadSize: true });
    const kvHeads = style.attention === 'group-query' ? 2 : 4;
    const dims = cacheDims(readDecoder(model));
    expect(dims).toHaveLength(12);
    expect(dims.every((pair) => pair.join() === `${kvHeads},16`)).toBe(true);
    expect(declaredDims(model.graph.input[2]!)).not.toContain(16);
  });

  it('keeps them as numbers where blocks are deleted, and the rows named', () => {
    const style = genaiStyles.find(({ name }) => name === 'qwen2-tied')!;
    const { decoder } = renumberCache(deleteBlocks(readDecoder(buildGenaiDecoder(style)), ['attention 0']));
    expect(declaredDims(decoder.graph.input('past_key_values.1.value')!)).toEqual([
      'batch_size',
      2,
      'past_sequence_length',
      16,
    ]);
  });

  it('gets them from genai_config.json where attention is spelled out', async () => {
    const folder = temporaryFolder();
    const decoder = { head_size: 16, num_key_value_heads: 2 };
    writeFileSync(path.join(folder, 'genai_config.json'), JSON.stringify({ model: { decoder } }));
    const read = readDecoder({ ...withOpenCaches(llama()), folder });
    expect(cacheDims(read).slice(0, 6)).toEqual(Array.from({ length: 6 }, () => [2, 16]));
  });

  it('stays as it is where nothing says more', () => {
    expect(cacheDims(readDecoder(withOpenCaches(llama())))[0]).toEqual(['heads', 'size']);
  });
});
