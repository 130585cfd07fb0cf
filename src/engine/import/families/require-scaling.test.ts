/** Factors of positions in files that nobody vouches for. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { findImportable, openImportable } from '../sources/open-source.js';

const phi3 = path.join(repositoryRoot, 'test', 'families', 'phi3');

function open(location: string): void {
  openImportable(findImportable(location)!).close();
}

/** The model's folder with another config. */
function folderWith(change: (config: Record<string, unknown>) => object): string {
  const folder = temporaryFolder();
  copyFileSync(path.join(phi3, 'model.safetensors'), path.join(folder, 'model.safetensors'));
  const config = JSON.parse(readFileSync(path.join(phi3, 'config.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...config, ...change(config) }));
  return folder;
}

/** The GGUF file with other bytes from the end of a key on. */
function ggufWith(key: string, behind: number, bytes: number[]): string {
  const content = Buffer.from(readFileSync(path.join(phi3, 'model.gguf')));
  const place = content.indexOf(key);
  expect(place).toBeGreaterThan(0);
  content.set(bytes, place + key.length + behind);
  const file = path.join(temporaryFolder(), 'model.gguf');
  writeFileSync(file, content);
  return file;
}

const factors = Array.from({ length: 8 }, (_, at) => 1 + at);

describe("LongRoPE's factors", () => {
  it.each<[string, object, RegExp]>([
    ['too few', { long_factor: factors.slice(1) }, /by 7 factors, where its heads have 8 frequencies/],
    ['too many', { short_factor: [...factors, 1] }, /by 9 factors, where its heads have 8 frequencies/],
    ['zero', { long_factor: [0, ...factors.slice(1)] }, /by a factor of 0; it is damaged/],
    ['below zero', { short_factor: [-1, ...factors.slice(1)] }, /by a factor of -1; it is damaged/],
    ['no numbers', { long_factor: ['two', ...factors.slice(1)] }, /by a factor of NaN; it is damaged/],
    ['no list', { long_factor: 'eight' }, /'longrope' in a way that is not understood/],
    ['a wrong magnitude', { attention_factor: -1 }, /multiplies stretched positions by -1; it is damaged/],
  ])('are refused in a config: %s', (_, changed, message) => {
    const folder = folderWith(({ rope_scaling: given }) => ({
      rope_scaling: { ...(given as object), ...changed },
    }));
    expect(() => open(folder)).toThrow(message);
  });

  it.each([0, 1, 31.5, -4])('are refused with a border of %d tokens', (border) => {
    const folder = folderWith(() => ({ original_max_position_embeddings: border }));
    expect(() => open(folder)).toThrow(/for texts of more than (0|1|31\.5|-4) tokens; it is damaged/);
  });

  it('are refused in a GGUF file of heads with other frequencies', () => {
    const file = ggufWith('phi3.rope.dimension_count', 4, [32]);
    expect(() => open(file)).toThrow(/by 8 factors, where its heads have 16 frequencies/);
  });

  it('are refused in a GGUF file that does not say from which length on they hold', () => {
    const key = 'phi3.rope.scaling.original_context_length';
    const file = ggufWith(key, -key.length, [...Buffer.from('other')]);
    expect(() => open(file)).toThrow(/does not say from which length on .* take a newer GGUF file/);
  });
});
