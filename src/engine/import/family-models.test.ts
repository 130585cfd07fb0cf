import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDecoder } from '../../../test/graphs/run-decoder.js';
import { importModel } from '../../../test/support/import-model.js';
import { repositoryRoot } from '../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import type { Decoder } from '../decoder/decoder.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { readModel } from '../onnx/file/model-file.js';

const families = path.join(repositoryRoot, 'test', 'families');

/** The model's folder without its GGUF file. */
function safetensorsOf(family: string): string {
  const folder = temporaryFolder();
  for (const name of ['config.json', 'model.safetensors'])
    copyFileSync(path.join(families, family, name), path.join(folder, name));
  return folder;
}

/** Logits of all positions, of which the first ones are run before the others. */
async function logitsOf(decoder: Decoder, ids: readonly number[], first: number): Promise<number[]> {
  const positions = [first, Math.max(1, ids.length - first)] as const;
  const runs = await runDecoder(decoder, { rows: 1, positions, tokens: (at) => ids[at % ids.length]! });
  return runs.flatMap(({ logits }) => [...(logits!.data as Float32Array)]);
}

interface Text {
  ids: number[];
  /** Base64 of float32. */
  logits: string;
}

/** One text, or several. */
function textsOf(family: string): Text[] {
  return [
    JSON.parse(readFileSync(path.join(families, family, 'logits.json'), 'utf8')) as Text | Text[],
  ].flat();
}

async function expectLogits(decoder: Decoder, { ids, logits }: Text, first: number): Promise<void> {
  const expected = new Float32Array(new Uint8Array(Buffer.from(logits, 'base64')).buffer);
  const whole = await logitsOf(decoder, ids, ids.length);
  const parts = await logitsOf(decoder, ids, first);
  for (const found of [whole.slice(0, expected.length), parts]) {
    expect(found.length).toBe(expected.length);
    const far = found.map((value, index) => Math.abs(value - expected[index]!));
    expect(Math.max(...far)).toBeLessThan(1e-4);
  }
}

describe.each(['lfm2', 'gpt2', 'phi3'])('%s gives the logits that transformers gives', (family) => {
  it.each([
    ['safetensors', () => safetensorsOf(family)],
    ['GGUF', () => path.join(families, family, 'model.gguf')],
  ])('from %s, in one run and in two', async (_, source) => {
    const decoder = readDecoder(await readModel(path.join(await importModel(source()), 'model.onnx')));
    const [text, long] = textsOf(family);
    await expectLogits(decoder, text!, 5);
    // Longer than what LongRoPE's short factors are for.
    if (long) await expectLogits(decoder, long, decoder.rotaryBorder! + 2);
  });
});
