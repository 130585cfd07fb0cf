import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { UserError } from '../../../schema/errors.js';
import { planImport } from '../import-folder.js';
import { findImportable, openImportable } from '../sources/open-source.js';

const MUTATIONS = Number(process.env.HOPSCOTCH_MUTATIONS ?? 300);

/** A sequence of whole numbers below a bound, the same in each run. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Some bytes of the header changed, or the file cut. */
function mutated(original: Uint8Array, header: number, next: (bound: number) => number): Uint8Array {
  const bytes = original.slice(0, next(8) === 0 ? next(original.length) : undefined);
  for (let count = next(4); count >= 0; count -= 1) {
    const place = next(Math.min(header, bytes.length));
    if (next(3) === 0)
      bytes.set([255, 255, 255, 255, 255, 255, 255, 127].slice(0, bytes.length - place), place);
    else bytes[place] = next(256);
  }
  return bytes;
}

/** Opens and lays out each mutation. @returns how many were refused */
function openAll(file: string, original: Uint8Array, header: number): number {
  const next = numbers(15);
  let refused = 0;
  for (let index = 0; index < MUTATIONS; index += 1) {
    writeFileSync(file, mutated(original, header, next));
    try {
      const source = openImportable(findImportable(file)!);
      try {
        planImport(source);
      } finally {
        source.close();
      }
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      expect(error.message).toMatch(/^[^\n]+\.\)?$/);
      refused += 1;
    }
  }
  return refused;
}

describe(`of ${MUTATIONS} damaged headers each is opened or refused with a sentence`, () => {
  it.each([
    ['with a type for each weight', 'gguf/sample.gguf'],
    ['with LongRoPE', 'families/phi3/model.gguf'],
  ])('of GGUF, %s', (_, name) => {
    const original = new Uint8Array(readFileSync(path.join(repositoryRoot, 'test', name)));
    const file = path.join(temporaryFolder(), 'model.gguf');
    expect(openAll(file, original, 22_000)).toBeGreaterThan(MUTATIONS / 4);
  });

  it('of safetensors', () => {
    const folder = temporaryFolder();
    const config = {
      model_type: 'llama',
      hidden_size: 16,
      intermediate_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      vocab_size: 16,
      max_position_embeddings: 8,
      tie_word_embeddings: true,
    };
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
    const names = ['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => `self_attn.${name}`);
    const matrices = [...names, 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'].map(
      (name) => `model.layers.0.${name}`,
    );
    const vectors = [
      'model.norm',
      'model.layers.0.input_layernorm',
      'model.layers.0.post_attention_layernorm',
    ];
    let end = 0;
    const place = (bytes: number) => [end, (end += bytes)];
    const entries = [
      ...['model.embed_tokens', ...matrices].map((name) => [
        name,
        { dtype: 'F32', shape: [16, 16], data_offsets: place(1024) },
      ]),
      ...vectors.map((name) => [name, { dtype: 'F32', shape: [16], data_offsets: place(64) }]),
    ];
    const header = new TextEncoder().encode(
      JSON.stringify(Object.fromEntries(entries.map(([name, entry]) => [`${name as string}.weight`, entry]))),
    );
    const original = new Uint8Array(8 + header.length + end);
    new DataView(original.buffer).setBigUint64(0, BigInt(header.length), true);
    original.set(header, 8);
    const file = path.join(folder, 'model.safetensors');
    writeFileSync(file, original);
    planImport(openImportable(findImportable(file)!));
    expect(openAll(file, original, 8 + header.length)).toBeGreaterThan(MUTATIONS / 4);
  });
});
