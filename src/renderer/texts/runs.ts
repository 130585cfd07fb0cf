/** Words of the list of runs. */
import type { RunSummary } from '../../schema/runs.js';
import { counted, formatPercent } from '../format/numbers.js';
import { formatDate } from '../format/times.js';
import { blocksWords, budgetWords } from './blocks.js';

const statuses: Record<RunSummary['status'], string> = {
  running: 'running',
  stopped: 'stopped',
  failed: 'failed',
  impossible: 'not possible',
  finished: 'done',
  damaged: 'damaged',
};

const nameOf = (run: RunSummary) => run.title || `${run.modelName} for ${run.datasetName}`;

export const runs = {
  title: 'Runs',
  lead: 'Everything you calibrated. Open one to compare and export any point of its curve.',
  empty: 'No runs yet. Your first one will appear here as soon as it starts.',
  toModel: 'Go to Model',
  statuses,
  name: nameOf,
  /** Its name among others: with the date where another has the same. */
  nameAmong(run: RunSummary, others: readonly RunSummary[]): string {
    const isAlone = others.every((other) => other.id === run.id || nameOf(other) !== nameOf(run));
    return isAlone ? nameOf(run) : `${nameOf(run)}, ${formatDate(run.created)}`;
  },
  budget({ settings }: RunSummary): string {
    const { budget, kind } = settings;
    const words = budgetWords(kind, budget);
    return budget.kind === 'blocks' ? words : `${blocksWords(kind)}, ${words}`;
  },
  thumbnail: ({ curve }: RunSummary) =>
    `Quality from ${formatPercent(curve[0]!.quality)} to ${formatPercent(curve.at(-1)!.quality)} over ${counted(curve.at(-1)!.blocks, 'block')}`,
  kept: (quality: number, blocks: number) =>
    `quality ${formatPercent(quality)}, ${counted(blocks, 'block')} skipped`,
  noPoint: 'nothing measured yet',
  points: (points: number) => `${counted(points, 'point')} measured`,
  open: 'Open',
  resume: 'Resume',
  rename: 'Rename',
  renameTitle: 'Rename the run',
  nameLabel: 'Name',
  save: 'Save',
  remove: 'Delete',
  removeTitle: 'Delete this run?',
  removeText: (name: string) => `‘${name}’ and what it measured will be gone. Exported models stay.`,
  reveal: 'Show folder',
  tick: (name: string) => `Compare ${name}`,
  compare: 'Compare the two',
  compareHint: 'Tick two runs to compare them.',
  compareTitle: 'Side by side',
  blocks: 'Skipped',
  comparing: 'Opening both',
} as const;
