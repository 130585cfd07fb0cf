/** Words of step 4. */
import type { JobStage } from '../../schema/events.js';
import type { JobState, JobStatus } from '../../shared/job.js';
import type { KindChoice } from '../curve/kinds.js';
import { counted, formatChange, formatLoss, formatPercent } from '../format/numbers.js';
import { formatDuration } from '../format/times.js';
import { blocksWords, blockWords } from './blocks.js';

const stages: Record<JobStage, string> = {
  'importing the model': 'Importing the model',
  'opening the model': 'Opening the model',
  'planning the cuts': 'Trying what each cut costs',
  'cutting the model': 'Cutting the model',
  'reading the task': 'Reading the task',
  'collecting answers': 'Letting the model answer the questions',
  calibrating: 'Measuring the original model',
  'comparing answers': 'Letting both models answer held-out questions',
  exporting: 'Writing the slimmed model',
  'measuring speed': 'Measuring speed',
};

const statuses: Record<JobStatus, string> = {
  idle: 'not started',
  starting: 'starting',
  running: 'running',
  stopping: 'stopping',
  stopped: 'stopped',
  finished: 'done',
  failed: 'failed',
  impossible: 'not possible',
  crashed: 'interrupted',
};

export const calibrate = {
  statuses,
  title: 'Calibrating',
  opening: 'Opening a run',
  emptyTitle: 'Ready to calibrate',
  emptyLead: 'Everything happens on this machine. You can stop at any time and go on later.',
  plan: (isByOwnAnswers: boolean) => [
    isByOwnAnswers
      ? 'The model answers the questions of your task itself, so that the slimmed one can learn to answer the same.'
      : 'The answers of your file are what the slimmed model learns.',
    'Blocks are left out in turn; those that are missed least are skipped.',
    'A few scales are learnt that make up for what is missing. Other numbers of blocks can be trained afterwards, with one click each.',
    'Held-out questions, never learnt from, tell what it costs.',
  ],
  slim: 'Slim',
  watch: 'You can leave this page; the run goes on. Stopping loses nothing.',
  stop: 'Stop',
  resume: 'Resume',
  stopping: 'Finishing the step under way …',
  stopped: 'Stopped',
  stoppedEarly:
    'The run was stopped before the first point of its curve was measured, so there is nothing to compare yet. What it found is kept; resume to go on from here.',
  stoppedWithPoints:
    'Everything so far is kept. The points of the curve that are there can be compared and exported; resume to go on from here.',
  failed: 'The run failed',
  impossible: 'Not possible as asked',
  askForOther: 'Change the budget',
  failedHint: 'Something unexpected went wrong. Everything so far is kept; resume to go on from here.',
  crashed: 'The engine stopped unexpectedly',
  crashedHint: 'Nothing that was finished is lost. Resume to go on from the last step.',
  notStarted: 'That did not start',
  done: (skipped: number, kind: KindChoice | undefined) => `Done: ${blocksWords(kind, skipped)} skipped`,
  doneLead: (seconds: number | undefined) =>
    `${seconds === undefined ? '' : `It took ${formatDuration(seconds)}. `}Points that are trained can be compared and exported; others are trained with one click.`,
  /** What is happening, in words. */
  now(state: JobState): string {
    if (state.status === 'starting') return 'Starting the engine';
    if (state.answers && state.stage)
      return `${stages[state.stage]}: ${state.answers.done} of ${state.answers.total}`;
    if (state.candidate) {
      const { block, index, tries, round } = state.candidate;
      return `Round ${round + 1}: trying without ${blockWords(block)} (${index + 1} of ${tries})`;
    }
    if (state.choice) {
      const { blocks, index, choices } = state.choice;
      return `Choice ${index + 1} of ${choices}: learning scales a little with ${counted(blocks.length, 'block')} skipped`;
    }
    if (state.epochs)
      return `Learning scales with ${state.epochs.blocks === 0 ? 'nothing' : counted(state.epochs.blocks, 'block')} skipped: epoch ${state.epochs.done} of ${state.epochs.total}`;
    if (state.stage === 'calibrating' && state.skipped.length > 0) {
      const budget = state.run?.settings.budget;
      const goesOn = budget?.kind === 'blocks' && state.skipped.length < budget.blocks;
      return goesOn ? `Preparing round ${state.skipped.length + 1}` : 'Measuring on held-out rows';
    }
    return state.stage ? stages[state.stage] : 'Working';
  },
  /** On what the job runs and how, where that is not simply the processor as usual: a sentence each. */
  ways({ device, memory, stage }: JobState): string[] {
    const work = stage === 'calibrating' ? 'calibration' : 'answers';
    const way = memory?.[work];
    return [...(device ? [device] : []), ...(way ? [`To stay within the memory limit: ${way}.`] : [])];
  },
  progress: 'Progress of the run',
  left: (seconds: number) => `about ${formatDuration(seconds)} left`,
  share: (value: number) => formatPercent(value, 0),
  curveTitle: 'Quality by skipped blocks',
  curveNone: 'No point of the curve is measured yet.',
  curveEmpty: 'Grows as points of the curve are measured.',
  curveKey: ['with scales', 'before'] as const,
  measures: {
    answers: 'held-out answers that stay the same',
    tokens: 'next tokens that are predicted right',
  } as const,
  lossTitle: 'Loss while learning',
  lossNote: 'lower is better; every point of the curve has its line',
  lossNone: 'No scales were learnt yet.',
  lossEmpty: 'Begins once blocks are chosen.',
  lossKey: ['held-out', 'learnt from', 'other points'] as const,
  lossLabel: (blocks: string | undefined, last: number | undefined) =>
    `Loss by epoch${blocks === undefined ? '' : ` with ${blocks} blocks skipped`}${last === undefined ? '' : `, now ${formatLoss(last)}`}.`,
  orderTitle: 'Skipped, in this order',
  orderNone: 'No block was chosen yet.',
  orderEmpty: 'The first block is being looked for.',
  orderLine: (block: string) => blockWords(block),
  orderRise: (rise: number) => `loss ${formatChange(rise)}`,
} as const;
