import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportSample, freshPath } from '../../../../test/support/export-sample.js';
import { sampleBatches } from '../../../../test/support/sample.js';
import { sampleFolder } from '../../../../test/support/shared-folder.js';
import { openModel, type SourceModel } from '../../jobs/parts/source-model.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { cutNeurons, type CutNeurons } from './cut-neurons.js';
import { neuronStatistics, type NeuronStatistics } from './neuron-statistics.js';
import { neuronsProblem, neuronsSavings } from './neurons-problem.js';
import { planNeurons } from './plan-neurons.js';

const RUN = { threads: 1 };

async function meanLoss({ decoder }: SourceModel, batches: readonly LossBatch[]): Promise<number> {
  const model = await openForwardModel(decoder, { skipped: [], granularity: 'scalar', runOptions: RUN });
  let loss = 0;
  for (const batch of batches) loss += (await model.run(batch, new Map())).loss / batches.length;
  await model.release();
  return loss;
}

describe('the sample model without half of its neurons', () => {
  let source: SourceModel;
  let statistics: NeuronStatistics;
  let learnt: LossBatch[];
  let heldout: LossBatch[];
  let plain: CutNeurons;
  let fitted: CutNeurons;
  beforeAll(async () => {
    source = await openModel(sampleFolder);
    learnt = await sampleBatches(source.decoder, 'arithmetic', 0, 31, 8);
    heldout = await sampleBatches(source.decoder, 'arithmetic', 400, 415, 16);
    statistics = await neuronStatistics(source.decoder, learnt.slice(0, 1), { runOptions: RUN });
    const kept = planNeurons(source.decoder, statistics, { share: 0.5, multiple: 8 });
    const cut = { source: source.source, decoder: source.decoder, kept };
    plain = await cutNeurons({ ...cut, output: freshPath('plain') });
    fitted = await cutNeurons({
      ...cut,
      output: freshPath('fitted'),
      refit: { batches: learnt, runOptions: RUN },
    });
  }, 120_000);

  it('is smaller by about what was told before', () => {
    expect(neuronsProblem(source.decoder)).toBeUndefined();
    const told = neuronsSavings(source.decoder, 0.5);
    const part = (fitted.bytesBefore - fitted.bytesAfter) / told.bytes;
    expect(part).toBeGreaterThan(0.8);
    expect(part).toBeLessThan(1.2);
    const config = JSON.parse(readFileSync(path.join(fitted.folder, 'config.json'), 'utf8')) as {
      intermediate_size: number;
      hopscotch_intermediate_sizes: number[];
    };
    const widths = [...fitted.widths.values()].map(([, after]) => after);
    expect(config.hopscotch_intermediate_sizes).toEqual(widths);
    expect(config.intermediate_size).toBe(Math.max(...widths));
  });

  it('loses less where the neurons that stay are fitted to make up for the others', async () => {
    const [before, unfitted, after] = [
      await meanLoss(source, heldout),
      await meanLoss(await openModel(plain.folder), heldout),
      await meanLoss(await openModel(fitted.folder), heldout),
    ];
    expect(fitted.refitted.length).toBe(12);
    expect(after - before).toBeLessThan(0.5 * (unfitted - before));
  });

  it('loses less by the gradient of the loss than at random', async () => {
    const random = new Map(
      [...statistics].map(([block, own]) => {
        const fisher = own.fisher.map((_, at) => (at * 7919) % 1009);
        return [block, { ...own, fisher }] as const;
      }),
    );
    const kept = planNeurons(source.decoder, random, { share: 0.5, multiple: 8 });
    const cut = await cutNeurons({
      source: source.source,
      decoder: source.decoder,
      kept,
      output: freshPath('random'),
    });
    expect(await meanLoss(await openModel(plain.folder), heldout)).toBeLessThan(
      await meanLoss(await openModel(cut.folder), heldout),
    );
  });

  it('is slimmed and exported like any other model', async () => {
    const exported = await exportSample({ skipped: ['attention 3', 'mlp 8'], from: fitted.folder });
    expect(exported.verification.largestDifference).toBeLessThan(1e-3);
  });
});
