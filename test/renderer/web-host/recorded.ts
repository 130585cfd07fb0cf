/** The recordings, as the contract has them. */
import type { BlockScales, SelectionRound } from '../../../src/schema/runs.js';
import type { AnswerFigures, RunReport, TrainingEpoch } from '../../../src/schema/report.js';
import type { JobEvent } from '../../../src/schema/events.js';
import type { HeldoutRow, PreviewRow } from '../../../src/schema/results.js';
import answersFile from './recordings/answers.json';
import eventsFile from './recordings/events.json';
import findingsFile from './recordings/findings.json';
import reportFile from './recordings/report.json';
import recordsReportFile from './recordings/report-records.json';
import rowsFile from './recordings/rows.json';

export const report = reportFile as unknown as RunReport;
export const recordsReport = recordsReportFile as unknown as RunReport;
export const rows = rowsFile as PreviewRow[];
export const findings = findingsFile as unknown as {
  rounds: SelectionRound[];
  training: Record<string, TrainingEpoch[]>;
  scales: Record<string, BlockScales[]>;
};

interface RecordedAnswers extends AnswerFigures {
  rows: { line: number; prompt: string; expected: string; original: string; slimmed: string }[];
}
const answers = answersFile as unknown as Record<string, RecordedAnswers>;

/** Held-out answers at a point of the curve, worst disagreements first. */
export function heldoutAnswers(blocks: number): { rows: HeldoutRow[]; figures: AnswerFigures } {
  const recorded = answers[String(blocks)]!;
  const shown = recorded.rows.map((row): HeldoutRow => ({
    ...row,
    same: row.original === row.slimmed,
    originalRight: row.original === row.expected,
    slimmedRight: row.slimmed === row.expected,
    disagreement: disagreement(row.original, row.slimmed),
  }));
  const { prompts, original, slimmed, same } = recorded;
  return {
    rows: shown.toSorted((a, b) => b.disagreement - a.disagreement),
    figures: { prompts, original, slimmed, same },
  };
}

/** Part of the words that only one answer has. */
function disagreement(a: string, b: string): number {
  const [left, right] = [new Set(a.split(/\s+/)), new Set(b.split(/\s+/))];
  const both = [...left].filter((word) => right.has(word)).length;
  const all = new Set([...left, ...right]).size;
  return a === b ? 0 : all === 0 ? 0 : Math.max(0.01, 1 - both / all);
}

export interface TimedEvent {
  at: number;
  event: JobEvent;
}

/** The job's events; with the time left as it turned out, and the original's figures, which the engine did not tell then. */
export const jobEvents: TimedEvent[] = (() => {
  const recorded = eventsFile as unknown as TimedEvent[];
  const end = recorded.at(-1)!.at;
  const first = recorded.findIndex(({ event }) => event.type === 'candidate-started');
  const timed = recorded.map(({ at, event }) => ({
    at,
    event: event.type === 'progress' ? { ...event, secondsLeft: (end - at) / 1000 } : event,
  }));
  return timed.toSpliced(first, 0, {
    at: recorded[first]!.at,
    event: { type: 'original', quality: report.original, measure: report.qualityMeasure },
  });
})();
