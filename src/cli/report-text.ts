/** A run's report in words, for the terminal. */
import {
  describeProblems,
  formatBytes,
  planWay,
  pointFigures,
  type CurvePoint,
  type RunReport,
} from '../engine/index.js';
import { formatTable } from './table.js';
import { blockList, count } from './words.js';

/** What was skipped at a point of the curve and what it cost: original, without scales, slimmed. */
export function pointText(report: RunReport, point: CurvePoint): string {
  return [
    `${count(point.skipped.length, 'block')} skipped of ${report.layers} layers: ${blockList(point.skipped)}`,
    `Held-out figures on ${count(report.task.heldoutRows, 'row')}, with 95 % intervals:`,
    '',
    formatTable([['', 'original', 'without scales', 'slimmed'], ...pointFigures(report, point)], {
      indent: '  ',
    }),
  ].join('\n');
}

/** Where the rows came from, and those that could not be used. */
export function taskText({ task }: RunReport): string {
  const answers = task.responses === 'own' ? "the model's own answers" : "the dataset's answers";
  const rows = `${count(task.calibrationRows, 'row')} to calibrate on (${answers}), ${task.heldoutRows} held out`;
  return task.problems.length === 0 ? rows : `${rows}; not used or cut: ${describeProblems(task.problems)}`;
}

/** Where memory was limited: how the model was run, the peak, and what was left out. */
export function memoryText({ memory, note }: RunReport): string[] {
  if (!memory) return [];
  const { plans, peakBytes } = memory;
  const limit = formatBytes(plans[0]?.limitBytes ?? 0);
  const lines =
    plans.length === 0
      ? []
      : [`${plans.map(planWay).join('; ')}; peak memory ${formatBytes(peakBytes)} of ${limit}`];
  if (note !== undefined) lines.push(note);
  return lines;
}

export function chosenPoint(report: RunReport): CurvePoint | undefined {
  return report.points.find(({ skipped }) => skipped.length === report.chosenPoint);
}
