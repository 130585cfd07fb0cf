/** A run and its report, as they lie in a run's folder: figures that are easy to read in a test. */
import type { BlockName } from '../../src/schema/blocks.js';
import type { CurvePoint, HeldoutQuality, RunReport } from '../../src/schema/report.js';
import type { Run } from '../../src/schema/runs.js';
import { jobSettings, type JobSettingsInput } from '../../src/schema/settings.js';
import * as v from 'valibot';

export function quality(loss: number, answers: number): HeldoutQuality {
  const about = (value: number) => ({ value, low: value - 0.05, high: value + 0.05 });
  return {
    rows: 8,
    tokens: 80,
    loss: about(loss),
    perplexity: about(Math.exp(loss)),
    tokenAccuracy: about(0.9),
    answerAccuracy: about(answers),
  };
}

/** @param loss with scales; without them it is 1 more */
export function point(skipped: readonly BlockName[], loss: number): CurvePoint {
  return {
    skipped: [...skipped],
    withoutScales: quality(loss + 1, 0.5),
    withScales: quality(loss, 0.75),
    training: { epochs: [{ epoch: 0, trainingLoss: null, heldoutLoss: loss }], bestEpoch: 0 },
  };
}

/** Of a run that settled on its second point. */
export function runReport(changes: Partial<RunReport> = {}): RunReport {
  return {
    version: 1,
    layers: 12,
    task: {
      columns: "As told: 'q' as the prompt, 'a' as the response.",
      calibrationRows: 16,
      heldoutRows: 8,
      calibrationTokens: 300,
      problems: [],
      responses: 'own',
    },
    qualityMeasure: 'answers',
    original: quality(0.1, 1),
    points: [point(['attention 8'], 0.2), point(['attention 8', 'mlp 1'], 0.3)],
    chosenPoint: 2,
    seconds: { calibrating: 3 },
    ...changes,
  };
}

export function finishedRun(
  changes: Partial<Omit<Run, 'settings'>> = {},
  settings: Partial<JobSettingsInput> = {},
): Run {
  return {
    version: 1,
    id: '20260101-120000-sample-arithmetic',
    created: '2026-01-01T12:00:00.000Z',
    status: 'finished',
    modelName: 'sample',
    datasetName: 'arithmetic',
    settings: v.parse(jobSettings, { model: '/sample', dataset: '/arithmetic.jsonl', ...settings }),
    ...changes,
  };
}
