/** Models of other formats: imported on demand, opened as they are, listed and deleted. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Cli } from '../support/run-cli.js';
import { repositoryRoot } from '../support/shared-folder.js';

const cli = new Cli();
const gguf = path.join(repositoryRoot, 'test', 'gguf', 'sample.gguf');
const lfm2 = path.join(repositoryRoot, 'test', 'families', 'lfm2', 'model.gguf');

it('import writes a folder that consumers of ONNX models open', async () => {
  const folder = cli.path('imported');
  const { code, stdout } = await cli.run('import', gguf, '-o', folder);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Llama, 2 layers: [\d.]+ kB of [\d.]+ kB\.\nThe model is in /);
  for (const name of ['model.onnx', 'config.json', 'genai_config.json', 'tokenizer.json'])
    expect(existsSync(path.join(folder, name)), name).toBe(true);
  const again = await cli.run('import', gguf, '-o', folder);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('imported')]);
});

it('other commands take such a file; models lists what was imported, and deletes it', async () => {
  const inspected = await cli.run('inspect', lfm2);
  expect(inspected.stdout).toMatch(/^ +1 +attention /m);
  expect(inspected.stdout).toMatch(/^ +2 +convolution /m);
  expect(inspected.stdout).toContain('2 convolution blocks always stay.');
  expect((await cli.run('models', 'list')).stdout).toMatch(/^model +[\da-f]{16} +[\d.]+ kB +.*model\.gguf$/m);
  expect((await cli.run('models', 'delete', 'model')).stdout).toMatch(/^Deleted model \([\d.]+ kB\)\.$/m);
  expect((await cli.run('models')).stdout).toMatch(/^There are no imported models in /);
});
