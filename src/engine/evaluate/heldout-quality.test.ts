import { beforeAll, describe, expect, it, vi } from 'vitest';
import { buildDecoder, decoderStyles } from '../../../test/graphs/build-decoder.js';
import { lossBatchOf } from '../../../test/support/random-scales.js';
import { openForwardModel, type ForwardModel } from '../loss/forward-model.js';
import { KeptStream } from '../loss/kept-stream.js';
import { makeLossBatch, type LossBatch } from '../loss/loss-batch.js';
import type { ScaleKey } from '../decoder/scales.js';
import { readDecoder } from '../decoder/read/read-decoder.js';
import { heldoutQuality } from './heldout-quality.js';
import { klDivergence } from './token-divergences.js';

describe('the KL divergence', () => {
  it('is that of the distributions which the logits stand for', () => {
    // Probabilities 1/2, 1/4, 1/4 against 1/4, 1/4, 1/2: 1/2 ln 2 - 1/4 ln 2.
    const logits = (...shares: number[]) => Float32Array.from(shares, (share) => Math.log(share) + 3);
    expect(klDivergence(logits(2, 1, 1), logits(1, 1, 2))).toBeCloseTo(Math.LN2 / 4, 6);
  });

  it('is zero for the same distribution, however its logits are shifted, and never below', () => {
    const logits = Float32Array.of(2, -1, 0.5, 80);
    expect(
      klDivergence(
        logits,
        logits.map((value) => value + 5),
      ),
    ).toBeCloseTo(0, 6);
    expect(klDivergence(logits, logits)).toBe(0);
  });

  it('stays a number where a token has next to no probability', () => {
    expect(klDivergence(Float32Array.of(200, 0), Float32Array.of(0, 200))).toBeCloseTo(200, 3);
  });
});

describe('the quality on held-out rows', () => {
  let model: ForwardModel;
  let batch: LossBatch;
  const scales = new Map<ScaleKey, Float32Array>([['block mlp 1', Float32Array.of(0.5)]]);
  const decoder = readDecoder(buildDecoder(decoderStyles[0]!));
  beforeAll(async () => {
    model = await openForwardModel(decoder, { skipped: [], granularity: 'scalar' });
    batch = lossBatchOf(decoder);
  });

  it('goes through a batch in parts where its logits are large, and comes to the same', async () => {
    const wide = readDecoder(buildDecoder(decoderStyles[0]!, { vocabulary: 200_000 }));
    const wideModel = await openForwardModel(wide, { skipped: [], granularity: 'scalar' });
    const rows = [40, 1, 30, 45, 3].map((length, row) => ({
      ids: Array.from({ length: length + 1 }, (_, token) => 7 * token + row),
      responseStart: row === 4 ? 4 : 1,
    }));
    let passed = 0;
    const options = {
      original: { model: wideModel, scales: new Map() },
      onPass: (own: number) => (passed += own),
    };
    const measured = { model: wideModel, scales };
    const whole = makeLossBatch(wide, rows, 0);
    expect(wideModel.logitsBytes(whole)).toBeGreaterThan(90e6);
    const together = await heldoutQuality(measured, [whole], options);
    expect(passed).toBe(2 * rows.length);
    const alone = rows.slice(0, 4).map((row) => makeLossBatch(wide, [row], 0));
    const apart = await heldoutQuality(measured, alone, options);
    expect([together.rows, together.tokens]).toEqual([5, 116]);
    expect(together.divergence!.value).toBeGreaterThan(0);
    expect(together.divergence!.value).toBeCloseTo(apart.divergence!.value, 6);
    expect(together.loss.value).toBeCloseTo(apart.loss.value, 5);
    await wideModel.release();
  });

  it('is the same from what the last layers gave, for the original and the measured model', async () => {
    const forScales = [new Map(), scales].map((own) => ({ scales: own, kept: new KeptStream() }));
    for (const { scales: own, kept } of forScales)
      await heldoutQuality({ model, scales: own }, [batch], { keep: kept });
    const [original, measured] = forScales.map((own) => ({ model, ...own }));
    const expected = await heldoutQuality({ model, scales }, [batch], {
      original: { model, scales: new Map() },
    });
    const throughLayers = vi.spyOn(model, 'runEachWithLogits');
    const actual = await heldoutQuality(measured!, [batch], { original: original! });
    expect(throughLayers).not.toHaveBeenCalled();
    // Rows that were not kept.
    const other = makeLossBatch(decoder, [{ ids: [3, 4, 5], responseStart: 1 }], 0);
    await heldoutQuality(measured!, [other], { original: original! });
    expect(throughLayers).toHaveBeenCalledTimes(2);
    throughLayers.mockRestore();
    expect(actual.divergence!.value).toBeGreaterThan(1e-3);
    expect(actual.divergence!.value).toBeCloseTo(expected.divergence!.value, 6);
    expect(actual.loss.value).toBeCloseTo(expected.loss.value, 6);
    expect(actual.agreement).toEqual(expected.agreement);
  });

  it('counts each response token once, whatever the batches', async () => {
    const rows = [
      { ids: [1, 2, 3, 4, 5], responseStart: 2 },
      { ids: [6, 7, 8], responseStart: 1 },
      { ids: [9, 10, 11, 12], responseStart: 3 },
    ];
    const batches = (...sizes: number[]) => {
      let start = 0;
      return sizes.map((size) => makeLossBatch(decoder, rows.slice(start, (start += size)), 0));
    };
    const together = await heldoutQuality({ model, scales }, batches(3));
    expect([together.rows, together.tokens]).toEqual([3, 3 + 2 + 1]);
    const apart = await heldoutQuality({ model, scales }, batches(1, 2));
    expect(apart.loss.value).toBeCloseTo(together.loss.value, 6);
    expect(apart.loss.high).toBeCloseTo(together.loss.high, 6);
    expect(together.perplexity.value).toBeCloseTo(Math.exp(together.loss.value), 6);
  });

  it('has a row as right only if every one of its tokens is', async () => {
    const { predictions } = await model.run(batch, new Map());
    const wrong = predictions.slice();
    wrong[wrong.length - 1]! += 1;
    const right = await heldoutQuality({ model, scales: new Map() }, [{ ...batch, labels: predictions }]);
    expect([right.tokenAccuracy.value, right.answerAccuracy.value]).toEqual([1, 1]);
    const almost = await heldoutQuality({ model, scales: new Map() }, [{ ...batch, labels: wrong }]);
    expect(almost.tokenAccuracy.value).toBeCloseTo(1 - 1 / wrong.length, 10);
    expect(almost.answerAccuracy.value).toBe(3 / 4);
  });

  it('diverges from the original by nothing if it is the original, else by something', async () => {
    const original = { model, scales: new Map() };
    const same = await heldoutQuality(original, [batch], { original });
    expect(same.divergence!.value).toBe(0);
    const other = await heldoutQuality({ model, scales }, [batch], { original });
    expect(other.divergence!.value).toBeGreaterThan(1e-3);
    expect(other.divergence!.low).toBeLessThan(other.divergence!.value);
    expect((await heldoutQuality(original, [batch])).divergence).toBeUndefined();
  });
});
