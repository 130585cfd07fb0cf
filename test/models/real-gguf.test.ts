/** A real model from a GGUF file: imported, it answers what it knows, in text that its own tokenizer makes. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { encodeConversationPrompt } from '../../src/engine/data/encode-examples.js';
import { loadTokenizer } from '../../src/engine/data/tokenizer.js';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { Generator } from '../../src/engine/generate/generator.js';
import { planImport, writeImport } from '../../src/engine/import/import-folder.js';
import { findImportable, openImportable } from '../../src/engine/import/sources/open-source.js';
import { readModel } from '../../src/engine/onnx/file/model-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const models =
  process.env['HOPSCOTCH_REAL_MODELS'] ?? path.join(homedir(), '.cache', 'hopscotch-real-models');
const gguf = path.join(models, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const reason = existsSync(gguf) ? '' : ' (skipped: HOPSCOTCH_REAL_MODELS has no such file)';

it.skipIf(reason !== '')(`SmolLM2-135M-Instruct.Q4_1.gguf knows the capital of France${reason}`, async () => {
  const folder = temporaryFolder();
  const source = openImportable(findImportable(gguf)!);
  await writeImport(planImport(source), folder).finally(() => source.close());
  const decoder = readDecoder(await readModel(path.join(folder, 'model.onnx')));
  const tokenizer = await loadTokenizer(folder);
  const generator = await Generator.open(decoder);
  try {
    const prompt = encodeConversationPrompt(tokenizer, [
      { role: 'user', content: 'What is the capital of France?' },
    ]);
    const stopTokens = new Set(tokenizer.eosTokenIds);
    const [answer] = await generator.generate([prompt], { maxNewTokens: 16, stopTokens });
    expect(tokenizer.decode(answer!.tokens)).toContain('Paris');
  } finally {
    await generator.release();
  }
});
