/** Judging by how far the model moves from what it is, whatever is learnt. */
import type { Scales } from '../../decoder/scales.js';
import { openForwardModel } from '../../loss/forward-model.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import { OriginalTargets } from '../../loss/original-targets.js';
import type { SelectionContext } from './selection-strategy.js';

/**
 * The context for losses of the judged rows that are divergences.
 * @param from scales of the model whose distributions they are from; default: the original's, whose the rows have
 *   already where a divergence is learnt
 */
export async function judgingByDivergence<Context extends SelectionContext>(
  context: Context,
  from?: Scales,
): Promise<Context> {
  const { loss, trialRows } = context;
  if (loss === 'divergence' && !from) return context;
  const judged = await withTargets(context, from);
  return { ...context, loss: 'divergence', trialRows: { ...trialRows, judged } };
}

async function withTargets(
  { decoder, trialRows, runOptions, granularity }: SelectionContext,
  scales: Scales | undefined,
): Promise<LossBatch[]> {
  const judged = trialRows.judged.map((batch) => ({ ...batch }));
  const targets = new OriginalTargets();
  const model = await openForwardModel(decoder, {
    skipped: [],
    granularity,
    ...(runOptions && { runOptions }),
  });
  try {
    await targets.learn(model, judged, scales ? { scales } : {});
  } finally {
    await model.release();
  }
  for (const batch of judged) targets.addTo(batch);
  return judged;
}
