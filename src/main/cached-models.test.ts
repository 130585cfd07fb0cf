import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-folder.js';
import { cachedModels } from './cached-models.js';
import { huggingFaceCache } from './folders.js';

function cacheWith(files: Record<string, string>): string {
  const cache = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(cache, name)), { recursive: true });
    writeFileSync(path.join(cache, name), content);
  }
  return cache;
}

test('finds text models with an ONNX file, a config and a tokenizer, by their names', () => {
  const cache = cacheWith({
    'models--owner--slim-135M/snapshots/abc/config.json':
      '{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}',
    'models--owner--slim-135M/snapshots/abc/tokenizer.json': '{}',
    'models--owner--sentences/snapshots/abc/config.json': '{"architectures": ["BertModel"]}',
    'models--owner--sentences/snapshots/abc/tokenizer.json': '{}',
    'models--owner--sentences/snapshots/abc/model.onnx': '1',
    'models--owner--pointer/snapshots/abc/config.json': '{}',
    'models--owner--pointer/snapshots/abc/tokenizer.json': '{}',
    'models--owner--pointer/snapshots/abc/model.onnx': 'version https://git-lfs.github.com/spec/v1',
    'models--owner--no-tokenizer/snapshots/abc/config.json': '{}',
    'models--owner--no-tokenizer/snapshots/abc/model.onnx': '1',
    'models--owner--slim-135M/snapshots/abc/onnx/model.onnx': '12345',
    'models--owner--torch-only/snapshots/abc/config.json': '{}',
    'models--owner--no-config/snapshots/abc/model.onnx': '1',
    'datasets--owner--rows/snapshots/abc/rows.jsonl': '{}',
    'version.txt': '1',
  });
  expect(cachedModels(cache)).toEqual([
    {
      model: path.join(cache, 'models--owner--slim-135M/snapshots/abc'),
      name: 'owner/slim-135M',
      bytes: 5,
      family: 'llama',
      exists: true,
      isSample: false,
    },
  ]);
});

test('a cache that is not there holds nothing', () => {
  expect(cachedModels('/nowhere')).toEqual([]);
});

test('the cache lies where Hugging Face’s own tools look', () => {
  expect(huggingFaceCache({ HF_HUB_CACHE: '/a' })).toBe('/a');
  expect(huggingFaceCache({ HF_HOME: '/b' })).toBe(path.join('/b', 'hub'));
  expect(huggingFaceCache({ XDG_CACHE_HOME: '/c' })).toBe(path.join('/c', 'huggingface', 'hub'));
});
