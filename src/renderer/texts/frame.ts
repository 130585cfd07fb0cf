/** Words of the frame: bar, rail, footer. */
import type { Aim } from '../../schema/cuts.js';
import type { Budget } from '../../schema/settings.js';
import { STEP_NAMES, type Step } from '../../shared/steps.js';
import type { KindChoice } from '../curve/kinds.js';
import { counted, formatPercent } from '../format/numbers.js';
import { formatDuration } from '../format/times.js';
import { blocksWords } from './blocks.js';
import { cuts } from './cuts.js';

export const frame = {
  steps: STEP_NAMES,
  stepsLabel: 'Steps',
  done: 'done',
  noModel: 'No model chosen',
  layers: (count: number) => `${count} layers`,
  drop: 'Drop a model (a folder, an ONNX or a GGUF file) or a dataset',
  loading: 'Starting',
  slim: 'Slim',
  next: (step: Step) => `Next: ${STEP_NAMES[step]}`,
  watch: 'Watch it run',
  running: (skipped: number, budget: Budget | undefined, secondsLeft: number | undefined) =>
    [
      budget?.kind === 'blocks'
        ? `${skipped} of ${counted(budget.blocks, 'block')} skipped`
        : `${counted(skipped, 'block')} skipped`,
      secondsLeft === undefined ? undefined : `about ${formatDuration(secondsLeft)} left`,
    ]
      .filter(Boolean)
      .join(' · '),
  starting: 'starting',
  stopping: 'stopping',
  /** What one click will do. */
  promise(
    kind: KindChoice | undefined,
    budget: Budget,
    model: string,
    task: string,
    seconds: number | undefined,
  ): string {
    const isLimit = budget.kind === 'quality';
    return [
      `Skip ${blocksWords(kind, isLimit ? undefined : budget.blocks)} of ${model} for ${task}`,
      isLimit ? `while at most ${formatPercent(budget.largestDrop)} of the quality is lost` : undefined,
      seconds === undefined ? undefined : `about ${formatDuration(seconds)}`,
    ]
      .filter(Boolean)
      .join(', ');
  },
  aimed: (aim: Aim, model: string, task: string) => `Cut ${model} for ${task} ${cuts.aim(aim)}`,
  willNotFit: 'This will probably not fit into memory; Budget says why.',
  obstacles: {
    model: 'Choose a model first.',
    tokenizer: 'This model has no tokenizer, so it cannot be slimmed.',
    task: 'Choose a task first.',
    columns: 'Say what the columns of the task mean.',
    running: 'A run is under way.',
    reading: 'Reading the model and the task …',
  },
} as const;
