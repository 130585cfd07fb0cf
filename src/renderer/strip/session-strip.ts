/** Which strip belongs to which step. */
import type { ModelDescription } from '../../schema/blocks.js';
import { kindsOf } from '../curve/kinds.js';
import { keepLast } from '../state/keep-last.js';
import type { Session } from '../state/session.svelte.js';
import { plainView, stripColumns, type StripColumn, type StripView } from './strip-cells.js';
import type { StripLegend } from './strip-readout.svelte';

export interface SessionStrip {
  columns: StripColumn[];
  skippedAs: StripView['skippedAs'];
  legend: StripLegend;
}

export function sessionStrip(session: Session): SessionStrip {
  const [view, legend] = viewOf(session);
  const layers = session.shownRun?.layers ?? 0;
  const { skippedAs, skipped, open, trying, rounds, originalLoss, scales } = view;
  const columns = columnsOf(
    session.shownModel,
    layers,
    skippedAs,
    skipped,
    open,
    trying,
    rounds,
    originalLoss,
    scales,
  );
  return { columns, skippedAs, legend };
}

/** Cells are made anew only for what they show, not for each event of a job. */
const columnsOf = keepLast(
  (
    model: ModelDescription | undefined,
    layers: number,
    skippedAs: StripView['skippedAs'],
    skipped: StripView['skipped'],
    open: StripView['open'],
    trying: StripView['trying'],
    rounds: StripView['rounds'],
    originalLoss: StripView['originalLoss'],
    scales: StripView['scales'],
  ) => stripColumns(model, layers, { skippedAs, skipped, open, trying, rounds, originalLoss, scales }),
);

function viewOf(session: Session): [StripView, StripLegend] {
  switch (session.step) {
    case 'budget':
      return [{ ...plainView, open: kindsOf(session.budget.kind) }, 'budget'];
    case 'calibrate':
      return calibrationView(session);
    case 'compare':
    case 'export':
      return resultView(session);
    default:
      return [plainView, 'sizes'];
  }
}

function calibrationView(session: Session): [StripView, StripLegend] {
  const { job, result, budget } = session;
  if (session.showsJob) {
    const { run, skipped, rounds, candidate, choice, original } = job.state;
    const open = kindsOf(run?.settings.kind);
    const trying = job.active ? (choice?.blocks ?? candidate?.block) : undefined;
    return [
      { ...plainView, open, skipped, rounds, trying, originalLoss: original?.loss.value },
      rounds.length > 0 ? 'importance' : 'budget',
    ];
  }
  const details = result.details.value;
  if (!details) return [{ ...plainView, open: kindsOf(budget.kind) }, 'budget'];
  const { rounds } = details.findings;
  const skipped = rounds.flatMap(({ chosen }) => (chosen === undefined ? [] : [chosen]));
  return [{ ...plainView, skipped, rounds, originalLoss: details.report?.original.loss.value }, 'importance'];
}

function resultView({ result }: Session): [StripView, StripLegend] {
  const { point } = result;
  if (!point) return [plainView, 'sizes'];
  const scales = result.details.value?.scales[String(point.skipped.length)] ?? plainView.scales;
  return [{ ...plainView, skippedAs: 'gap', skipped: point.skipped, scales }, 'scales'];
}
