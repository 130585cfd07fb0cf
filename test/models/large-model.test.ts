/** A model larger than 2 GB, which protobuf cannot hold: inspected, exported, loaded again. Takes 5 GB of disk and of memory. */
import type { BlockName } from '../../src/schema/blocks.js';
import { statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeDecoder } from '../../src/engine/decoder/describe.js';
import { readDecoder } from '../../src/engine/decoder/read/read-decoder.js';
import { exportModel } from '../../src/engine/export/export-model.js';
import { Generator } from '../../src/engine/generate/generator.js';
import { readModel } from '../../src/engine/onnx/file/model-file.js';
import { openModel } from '../../src/engine/jobs/parts/source-model.js';
import { decoderStyles } from '../graphs/decoder-style.js';
import { writeLargeDecoder } from '../graphs/large-decoder.js';
import { randomScales } from '../support/random-scales.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { batchOf } from './chain.js';

describe('a model of more than 2 GB', () => {
  it(
    'is inspected, exported with folded scales and without two blocks, and generates',
    { timeout: 300_000 },
    async () => {
      const folder = temporaryFolder();
      const from = path.join(folder, 'large');
      const options = { layers: 5, hidden: 4096, heads: 32, kvHeads: 8, opset: 17 };
      expect(writeLargeDecoder(from, decoderStyles[0]!, options)).toBeGreaterThan(2 ** 31);

      const { source, decoder } = await openModel(from);
      const description = describeDecoder(decoder);
      expect(description.total.bytes).toBeGreaterThan(2 ** 31);
      const skipped: BlockName[] = ['attention 1', 'mlp 2'];
      const saved = description.blocks.filter(({ name }) => skipped.includes(name));
      const scales = randomScales(decoder, skipped, 'channel');
      const { modelPath, originalBytes, slimmedBytes, verification } = await exportModel({
        source,
        original: decoder,
        skipped,
        scales,
        mode: 'folded',
        output: path.join(folder, 'slimmed'),
        verificationBatches: [batchOf(decoder)],
        record: { modelName: 'large', taskName: '', strategy: '', granularity: 'channel', figures: [] },
      });
      // The export loaded the written file afresh and compared its logits with those of the gated model.
      expect(verification.largestDifference).toBeLessThan(verification.tolerance);
      expect(statSync(`${modelPath}_data`).size).toBeGreaterThan(2 ** 31);
      const bytes = saved.reduce((sum, block) => sum + block.bytes, 0);
      expect(originalBytes - slimmedBytes).toBeGreaterThan(0.99 * bytes);
      expect(await generate(modelPath, [1, 2, 3], 3)).toHaveLength(3);
      // Two sessions at a time: of the gated model and of the written one. 1.7 when this was written.
      expect((process.resourceUsage().maxRSS * 1024) / originalBytes).toBeLessThan(2.5);
    },
  );
});

async function generate(file: string, prompt: number[], maxNewTokens: number): Promise<number[]> {
  const generator = await Generator.open(readDecoder(await readModel(file)));
  try {
    const [result] = await generator.generate([prompt], { maxNewTokens, stopTokens: new Set() });
    return result!.tokens;
  } finally {
    await generator.release();
  }
}
