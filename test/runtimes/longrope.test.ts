/** Texts that pass the border of LongRoPE, in the programs that people run models with. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { transformersJsFile } from '../../src/engine/export/snippets.js';
import { Generator } from '../../src/engine/generate/generator.js';
import { readModel } from '../../src/engine/onnx/file/model-file.js';
import { runInGenai } from '../models/elsewhere.js';
import { runInTransformersJs, type ElsewhereRun } from '../models/transformers-js.js';
import { genaiPython, genaiReason } from '../support/genai-python.js';
import { importModel } from '../support/import-model.js';
import { repositoryRoot, sampleFolder } from '../support/shared-folder.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** That of Phi-3 and Phi-4-mini, the only one that onnxruntime-genai knows. */
const BORDER = 4096;
const NEW_TOKENS = 14;
const PASSING = promptOf(BORDER - 6);
const BEYOND = promptOf(BORDER + 24);

function promptOf(length: number): number[] {
  return Array.from({ length }, (_, at) => (7 * at + ((at * at) % 97)) % 676);
}

/** The test's Phi-3 with another border. */
async function phi3(): Promise<string> {
  const folder = temporaryFolder();
  const family = path.join(repositoryRoot, 'test', 'families', 'phi3');
  cpSync(path.join(family, 'model.safetensors'), path.join(folder, 'model.safetensors'));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    cpSync(path.join(sampleFolder, name), path.join(folder, name));
  const config = JSON.parse(readFileSync(path.join(family, 'config.json'), 'utf8')) as object;
  const lengths = { original_max_position_embeddings: BORDER, max_position_embeddings: 2 * BORDER };
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...config, ...lengths }));
  return await importModel(folder);
}

let folder: string;
/** What our generator answers to each prompt: it reads a text anew where that passes the border. */
let own: number[][];

beforeAll(async () => {
  folder = await phi3();
  const generator = await Generator.open(readDecoder(await readModel(path.join(folder, 'model.onnx'))), {
    threads: 1,
  });
  const results = await generator.generate([PASSING, BEYOND], {
    maxNewTokens: NEW_TOKENS,
    stopTokens: new Set([3]),
    batchRows: 1,
  });
  await generator.release();
  own = results.map(({ tokens }) => tokens);
}, 120_000);

function tokensOf(runs: readonly Pick<ElsewhereRun, 'tokens'>[] | string | undefined): number[][] {
  if (runs === undefined || typeof runs === 'string') throw new Error(`It does not run: ${runs}`);
  return runs.map(({ tokens }) => tokens);
}

describe('a text that passes the border of LongRoPE', () => {
  it.skipIf(genaiPython === undefined)(
    `is read anew by onnxruntime-genai, too, and so is one beyond${genaiReason}`,
    () => {
      const [runs] = runInGenai(genaiPython!, [folder], [PASSING, BEYOND], NEW_TOKENS);
      expect(tokensOf(runs)).toEqual(own);
    },
  );

  it.each([4, 3] as const)(
    'is not read anew by transformers.js %i, which reads a prompt beyond the border as ours',
    async (version) => {
      const model = { folder, ...transformersJsFile('model.onnx') };
      const [runs] = await runInTransformersJs(version, [model], [PASSING, BEYOND], NEW_TOKENS);
      const [passing, beyond] = tokensOf(runs);
      expect(beyond).toEqual(own[1]);
      // Tokens before the border are the same.
      expect(passing!.slice(0, 7)).toEqual(own[0]!.slice(0, 7));
      expect(passing).not.toEqual(own[0]);
    },
  );
});
