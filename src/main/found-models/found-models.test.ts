import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { huggingFaceCache } from '../folders.js';
import { cachedModels } from './hugging-face.js';
import { foundModels } from './index.js';

function cacheWith(files: Record<string, string>): string {
  const cache = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(cache, name)), { recursive: true });
    writeFileSync(path.join(cache, name), content);
  }
  return cache;
}

test('in the Hugging Face cache: text models with an ONNX file, a config and a tokenizer, by their names', () => {
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
      place: 'hugging-face',
    },
  ]);
});

test('in the Hugging Face cache: safetensors folders, and GGUF files each by itself', () => {
  const snapshot = (name: string) => `models--owner--${name}/snapshots/abc`;
  const cache = cacheWith({
    [`${snapshot('torch')}/config.json`]: '{"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}',
    [`${snapshot('torch')}/tokenizer.json`]: '{}',
    [`${snapshot('torch')}/model-00001-of-00002.safetensors`]: '123',
    [`${snapshot('torch')}/model-00002-of-00002.safetensors`]: '45',
    [`${snapshot('some-GGUF')}/some-Q4_0.gguf`]: '1234',
    [`${snapshot('some-GGUF')}/some-Q8_0-00001-of-00002.gguf`]: '12',
    [`${snapshot('some-GGUF')}/some-Q8_0-00002-of-00002.gguf`]: '3',
    [`${snapshot('some-GGUF')}/mmproj-some.gguf`]: '1',
  });
  expect(
    cachedModels(cache).map(({ model, name, bytes }) => [path.relative(cache, model), name, bytes]),
  ).toEqual([
    [`${snapshot('some-GGUF')}/some-Q4_0.gguf`, 'owner/some-Q4_0', 4],
    [`${snapshot('some-GGUF')}/some-Q8_0-00001-of-00002.gguf`, 'owner/some-Q8_0-00001-of-00002', 3],
    [snapshot('torch'), 'owner/torch', 5],
  ]);
});

test('of LM Studio and of Ollama, whose files have no ending: by the names that people call them', () => {
  const digest = 'a'.repeat(64);
  const layer = (mediaType: string, hash: string) => ({ mediaType, digest: `sha256:${hash}` });
  const model = layer('application/vnd.ollama.image.model', digest);
  const manifest = (...layers: object[]) => JSON.stringify({ layers });
  const home = cacheWith({
    '.lmstudio/models/owner/slim-GGUF/slim-Q4_K_M.gguf': '12345',
    [`.ollama/models/blobs/sha256-${digest}`]: 'GGUF',
    '.ollama/models/manifests/registry/library/slim/135m': manifest(
      layer('application/vnd.ollama.image.template', 'b'.repeat(64)),
      model,
    ),
    '.ollama/models/manifests/registry/ada/tuned/latest': manifest(
      model,
      layer('application/vnd.ollama.image.adapter', 'c'.repeat(64)),
    ),
    '.ollama/models/manifests/registry/library/gone/1b': manifest(
      layer('application/vnd.ollama.image.model', 'd'.repeat(64)),
    ),
    '.ollama/models/manifests/registry/library/evil/1b': manifest({
      mediaType: 'application/vnd.ollama.image.model',
      digest: 'sha256:../../../../etc/passwd',
    }),
    '.ollama/models/manifests/registry/library/broken/1b': 'no json',
  });
  const found = foundModels(path.join(home, 'no-cache'), home);
  expect(found).toMatchObject([
    { name: 'owner/slim-Q4_K_M', place: 'lm-studio', bytes: 5 },
    {
      name: 'slim:135m',
      place: 'ollama',
      bytes: 4,
      model: path.join(home, '.ollama/models/blobs', `sha256-${digest}`),
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
