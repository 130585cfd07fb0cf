import * as v from 'valibot';
import { jobSettings } from '../../../src/schema/settings.js';
import type { RunDetails, RunSummary } from '../../../src/schema/runs.js';
import type { RunReport } from '../../../src/schema/report.js';
import { OLDER_RUN, RUN, SAMPLE_MODEL, taskPath } from './places.js';
import { findings, recordsReport, report } from './recorded.js';
import type { SceneOptions } from './scenes.js';
import { StandInFailure, type Emit, type Handlers } from './handlers.js';

type Names = `runs.${string}`;

const RUNS: Partial<Record<SceneOptions['scene'], () => RunSummary[]>> = {
  finished: () => pastRuns(),
  'few-points': () => [withPoints(recordedRun('finished'), [3, 6])],
  'many-runs': () => manyRuns(),
};

/** The run with these points of its curve, and the original. */
export function withPoints(run: RunSummary, blocks: readonly number[]): RunSummary {
  return {
    ...run,
    curve: curveOf(report).filter((point) => point.blocks === 0 || blocks.includes(point.blocks)),
  };
}

/** The runs there are. */
export class RunBook {
  runs: RunSummary[];
  readonly #emit: Emit;

  constructor({ scene }: SceneOptions, emit: Emit) {
    this.runs = (RUNS[scene] ?? (() => []))();
    this.#emit = emit;
  }

  find(id: string): RunSummary {
    const run = this.runs.find((candidate) => candidate.id === id);
    if (!run) throw new StandInFailure('user', `There is no run '${id}' any more.`);
    return run;
  }

  put(run: RunSummary): void {
    this.change([run, ...this.runs.filter(({ id }) => id !== run.id)]);
  }

  change(runs: RunSummary[]): RunSummary[] {
    this.runs = runs;
    this.#emit('runs.changed', runs);
    return runs;
  }
}

export function runHandlers(book: RunBook): Pick<Handlers, Extract<keyof Handlers, Names>> {
  return {
    'runs.list': () => book.runs,
    'runs.show': ({ run }) => detailsOf(book.find(run)),
    'runs.delete': ({ run }) => book.change(book.runs.filter(({ id }) => id !== run)),
    'runs.rename': ({ run, title }) =>
      book.change(book.runs.map((entry) => (entry.id === run ? { ...entry, title } : entry))),
    'runs.reveal': () => undefined,
  };
}

export function recordedRun(status: RunSummary['status']): RunSummary {
  return {
    id: RUN,
    created: '2026-11-25T02:19:44.000Z',
    status,
    modelName: 'sample',
    datasetName: 'arithmetic',
    settings: v.parse(jobSettings, {
      model: SAMPLE_MODEL,
      dataset: taskPath('arithmetic'),
      budget: { kind: 'blocks', blocks: 6 },
      kind: 'attention',
    }),
    resumable: status === 'stopped' || status === 'failed',
    layers: 12,
    curve: status === 'finished' ? curveOf(report) : [],
    chosenPoint: status === 'finished' ? report.chosenPoint : undefined,
  };
}

function pastRuns(): RunSummary[] {
  const run = recordedRun('finished');
  const records: RunSummary = {
    ...run,
    id: OLDER_RUN,
    created: '2026-11-24T18:07:44.000Z',
    datasetName: 'records',
    settings: { ...run.settings, dataset: taskPath('records') },
    curve: curveOf(recordsReport),
    exportedTo: '/home/ada/Documents/sample-records-6',
  };
  return [
    run,
    records,
    {
      ...recordedRun('stopped'),
      id: '20261123-091500-SmolLM2',
      title: 'Support tickets, first try with the long answers that nobody reads to the end anyway',
      created: '2026-11-23T09:15:00.000Z',
      modelName: 'SmolLM2-135M-Instruct',
      datasetName: 'tickets',
      layers: 30,
      curve: curveOf(recordsReport).slice(0, 4),
    },
    {
      ...recordedRun('failed'),
      id: '20261122-200100-Qwen3',
      created: '2026-11-22T20:01:00.000Z',
      modelName: 'Qwen3-0.6B-ONNX',
      datasetName: 'gsm8k',
      error: 'The dataset /media/usb/gsm8k.parquet is no longer there; plug the drive in and resume.',
    },
  ];
}

function manyRuns(): RunSummary[] {
  return Array.from({ length: 200 }, (_, place) => ({
    ...recordedRun('finished'),
    id: `20261101-${place}`,
    title: `Run ${200 - place}`,
  }));
}

function curveOf({ original, points }: RunReport): RunSummary['curve'] {
  return [
    { blocks: 0, quality: original.answerAccuracy.value, loss: original.loss.value },
    ...points.map(({ skipped, withScales, withoutScales }) => {
      const quality = withScales ?? withoutScales;
      return { blocks: skipped.length, quality: quality.answerAccuracy.value, loss: quality.loss.value };
    }),
  ];
}

function detailsOf(summary: RunSummary): RunDetails {
  if (summary.curve.length === 0)
    return { summary, findings: { rounds: [], training: {} }, scales: {}, trainedPoints: [], measured: {} };
  const { rounds, training, scales } = findings;
  const isLatest = summary.id === RUN;
  const { chosenPoint, ...whole } = isLatest ? report : recordsReport;
  const blocks = summary.curve.slice(1).map((point) => point.blocks);
  return {
    summary,
    report: {
      ...whole,
      points: whole.points.filter(({ skipped }) => blocks.includes(skipped.length)),
      chosenPoint: summary.status === 'finished' ? chosenPoint : undefined,
    },
    findings: isLatest ? { rounds, training } : { rounds: [], training: {} },
    scales: isLatest ? scales : {},
    trainedPoints: blocks,
    measured: {},
  };
}
