/** Words of step 5 where a list of prompts is asked. */
import type { ComparisonSummary, PairedFigures } from '../../schema/comparison.js';
import { counted, formatCount, formatPercent } from '../format/numbers.js';
import { formatDuration } from '../format/times.js';

const statuses: Record<ComparisonSummary['status'], string> = {
  running: 'going on',
  stopped: 'stopped',
  failed: 'failed',
  finished: 'done',
};

export const comparisons = {
  modes: { one: 'One prompt', many: 'Many prompts' } as const,
  modeLabel: 'What to ask',
  title: 'Many prompts, unattended',
  lead: 'Both models, or several, answer a list. It goes on while you do other things, and after a restart.',
  modelsTitle: 'Models',
  modelsHint: 'The first is the one that the others are held against.',
  remove: (name: string) => `Leave ${name} out`,
  addPoint: 'Add a point of a run',
  addFolder: 'Add a model folder',
  promptsLabel: 'Prompts',
  sources: { heldout: 'Held-out ones', file: 'A file', pasted: 'Pasted' } as const,
  chooseFile: 'Choose a file',
  noFile: 'Text with a prompt a line, JSONL, CSV, Parquet',
  pastedLabel: 'Prompts, one a line',
  pastedHint: 'One prompt a line, or a paragraph each with blank lines between them.',
  count: 'How many',
  allPrompts: 'all',
  system: 'System prompt',
  temperature: 'Temperature',
  temperatureHint: 'Empty: always the most likely token.',
  seed: 'Seed',
  longest: 'Longest answer',
  tokens: 'tokens',
  options: 'System prompt, temperature, length',
  start: 'Start',
  busy: 'Another comparison is going on; this one can begin when it has ended.',
  earlier: 'Earlier comparisons',
  newOne: 'New comparison',
  line: (one: ComparisonSummary) =>
    `${counted(one.prompts, 'prompt')} of ${one.source}, ${counted(one.names.length, 'model')}`,
  status: (one: ComparisonSummary) =>
    one.status === 'finished' || one.done === 0
      ? statuses[one.status]
      : `${statuses[one.status]}, ${formatCount(one.done)} of ${counted(one.total, 'answer')}`,
  progress: (done: number, total: number) => `${formatCount(done)} of ${counted(total, 'answer')}`,
  left: (seconds: number) => `about ${formatDuration(seconds)} left`,
  stop: 'Stop',
  resume: 'Resume',
  removeAct: 'Delete',
  removeNamed: (one: ComparisonSummary) => `Delete the comparison on ${one.source}`,
  fault: 'A fault of Hopscotch; the log (Help menu) says what. Resume to try again.',
  removeTitle: 'Delete this comparison?',
  removeText: 'Its answers and votes are deleted. Models and files stay.',
  failed: 'This comparison failed',
  opening: 'Opening the comparison',
  figuresTitle: 'Figures',
  figuresNote: 'With 95\u202f% intervals',
  figure: {
    same: 'Same answer as the first',
    right: 'Right answers',
    change: 'Right answers, against the first',
    flips: 'Right only by the first / only by this one',
    speed: 'Speed, against the first',
    rate: 'Writing',
    seconds: 'An answer takes',
    preferred: 'Preferred in blind votes',
  } as const,
  noisy: 'too noisy to tell',
  byChance: ({ flipChance }: PairedFigures) =>
    flipChance === undefined
      ? ''
      : `chance alone: ${flipChance < 0.001 ? 'under 0.1\u202f%' : formatPercent(flipChance, flipChance < 0.1 ? 1 : 0)}`,
  votes: (against: PairedFigures) =>
    `${counted(against.votes, 'vote')}${against.undecided > 0 ? `, ${against.undecided} for neither` : ''}`,
  points: (share: number) => {
    const points = (Math.abs(share) * 100).toFixed(1);
    return points === '0.0' ? '0 points' : `${share < 0 ? '−' : '+'}${points} points`;
  },
  noneYet: 'The models are being loaded; figures and answers appear here as they come.',
  rowsTitle: 'Answers',
  worstFirst: 'worst first',
  filterLabel: 'Which answers',
  kinds: {
    all: 'All',
    differs: 'Differ',
    lost: 'Lost',
    gained: 'Gained',
    wrong: 'All wrong',
    cut: 'Cut short',
  } as const,
  kindHints: {
    all: 'Every prompt that is answered',
    differs: 'The answers are not the same words',
    lost: 'The first model is right, the other is not',
    gained: 'The first model is wrong, the other is right',
    wrong: 'No model is right',
    cut: 'An answer was cut at the longest length',
  } as const,
  against: 'Shown beside the first',
  noRows: 'None.',
  noRowsYet: 'A prompt appears here when both have answered it.',
  expected: 'Expected',
  notYet: 'not answered yet',
  rowLine: (line: number) => `row ${line}`,
  blind: 'Vote blind',
  blindTitle: 'Which answer is better?',
  blindHint:
    'A and B are the two models, which of them is drawn by lot for every prompt. Names are shown when you end.',
  side: { a: 'A', b: 'B' } as const,
  vote: { a: 'A is better', b: 'B is better', neither: 'No difference' } as const,
  blindLeft: (done: number, all: number) => `${formatCount(done)} of ${formatCount(all)} voted`,
  blindDone: 'You have voted on every prompt that the two answer differently.',
  blindNone: 'There is nothing to vote on: the answers are the same.',
  reveal: 'End and see',
} as const;
