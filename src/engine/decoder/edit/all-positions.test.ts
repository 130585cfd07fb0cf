/** Heads that see the last position only: learnt from before the cut, which the file keeps. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../../test/graphs/build-decoder.js';
import { POSITION_CUTS, withPositionCut } from '../../../../test/graphs/with-position-cut.js';
import { lossBatchOf, randomScales, skippedOfBothKinds } from '../../../../test/support/random-scales.js';
import { hasShared, sharedPath, sharedReason } from '../../../../test/support/shared-folder.js';
import { temporaryFolder } from '../../../../test/support/temporary-folder.js';
import { slimmedModel, writeSlimmedModel } from '../../export/slimmed-model.js';
import { verifyExport } from '../../export/verify-export.js';
import { Generator } from '../../generate/generator.js';
import { openForwardModel } from '../../loss/forward-model.js';
import { openGradientModel } from '../../loss/open-gradient-model.js';
import { readModel } from '../../onnx/file/model-file.js';
import { openSession } from '../../runtime/session.js';
import { emptyCache, tokenFeeds } from '../../runtime/decoder-feeds.js';
import type { Decoder } from '../decoder.js';
import { readDecoder } from '../read/read-decoder.js';
import { allPositions } from './all-positions.js';

const styles = ['llama', 'gpt2', 'gemma2'].map((name) => decoderStyles.find((style) => style.name === name)!);
const cases = styles.flatMap((style) => POSITION_CUTS.map((cut) => ({ style, name: style.name, cut })));

describe.each(cases)('$name with $cut', ({ style, cut }) => {
  // An operator's axes are an input from opset 13 on.
  const plain = readDecoder(buildDecoder(style, { opset: 17 }));
  const decoder = readDecoder(withPositionCut(buildDecoder(style, { opset: 17 }), cut));
  const isInput = cut === 'num_logits_to_keep';

  it('is read, and the cut with it', () => {
    expect(decoder.cut !== undefined).toBe(!isInput);
    expect(decoder.inputs.keptLogits).toBe(isInput ? cut : undefined);
    expect(decoder.inputs.others).toEqual([]);
    expect(decoder.steps).toHaveLength(plain.steps.length);
    expect(allPositions(decoder).cut).toBeUndefined();
    expect(allPositions(plain)).toBe(plain);
  });

  it('has the losses, gradients and answers of the decoder without a cut', async () => {
    const scales = randomScales(plain, skippedOfBothKinds, 'channel+gain');
    const results = [];
    for (const one of [plain, decoder]) {
      const options = { skipped: skippedOfBothKinds, granularity: 'channel+gain' } as const;
      const forward = await openForwardModel(one, options);
      const gradient = await openGradientModel(one, options);
      const { loss, predictions } = await forward.run(lossBatchOf(one), scales);
      const { gradients } = await gradient.run(lossBatchOf(one), scales);
      const generator = await Generator.open(one);
      const settings = { maxNewTokens: 6, stopTokens: new Set<number>() };
      const answers = await generator.generate([[3, 1, 4], [5]], settings);
      results.push({ loss, predictions, gradients, answers });
      await Promise.all([forward, gradient, generator].map((model) => model.release()));
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('is exported with its cut', async () => {
    const file = path.join(temporaryFolder(), 'model.onnx');
    const options = { skipped: skippedOfBothKinds, granularity: 'channel+gain' } as const;
    const scales = randomScales(decoder, skippedOfBothKinds, 'channel+gain');
    const form = { original: decoder, scales, ...options };
    await writeSlimmedModel(slimmedModel({ ...form, mode: 'folded' }), decoder, file);
    const trained = await openForwardModel(decoder, options);
    const check = await verifyExport(file, trained, scales, [lossBatchOf(decoder)], undefined);
    await trained.release();
    expect(check).toMatchObject({ isSame: true, largestDifference: expect.closeTo(0, 3) as number });
    const exported = readDecoder(await readModel(file));
    expect(await positionsOfLogits(file, exported, 1)).toBe(1);
    if (isInput) expect(await positionsOfLogits(file, exported, 0)).toBe(5);
  });
});

async function positionsOfLogits(file: string, decoder: Decoder, keptLogits: number) {
  const session = await openSession(file);
  const block = { rows: 1, positions: 5, ids: [1, 2, 3, 4, 5], keptLogits };
  const results = await session.run({ ...tokenFeeds(decoder, block), ...emptyCache(decoder, 1) });
  await session.release();
  return results[decoder.logits]!.dims[1];
}

it.skipIf(!hasShared)(
  `a file that gives the last token's logits has the loss of the whole one${sharedReason}`,
  async () => {
    const files = ['models/stories260K/stories260K.onnx', 'cases/last-token-head/model.onnx'];
    const losses = [];
    for (const file of files) {
      const decoder = readDecoder(await readModel(sharedPath(file)));
      const model = await openForwardModel(decoder, { skipped: ['attention 1'], granularity: 'scalar' });
      losses.push((await model.run(lossBatchOf(decoder), new Map())).loss);
      await model.release();
    }
    expect(losses[1]).toBeCloseTo(losses[0]!, 5);
  },
);
