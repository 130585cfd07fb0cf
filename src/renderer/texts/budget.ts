/** Words of step 3. */
import type { JobEstimate } from '../../schema/results.js';
import { formatBytes, formatPercent } from '../format/numbers.js';
import { formatDuration } from '../format/times.js';

export const budget = {
  title: 'How much to skip',
  lead: 'The run looks for this many blocks and says what they cost; smaller numbers can be tried afterwards with one click.',
  aimLead:
    'The run makes the cuts that reach your aim for the least loss, and trains scales that make up for them.',
  needsModel: 'Choose a model first; how many blocks it has decides what can be skipped.',
  kindLabel: 'How the budget is given',
  kinds: { blocks: 'Number of blocks', quality: 'Quality limit' } as const,
  amountLabel: 'Blocks to skip',
  limitLabel: 'Quality that may be lost',
  ofLargest: (largest: number) => `of ${largest} that may be skipped`,
  limitHint: 'Goes on as long as the held-out quality stays within this limit.',
  blocksLabel: 'Which blocks may be skipped',
  blocks: { attention: 'Attention', mlp: 'MLP', both: 'Both' } as const,
  blocksHint: {
    attention: 'Less memory for long conversations, a little faster, about the same file.',
    mlp: 'A smaller file and faster; usually missed more.',
    both: 'Whatever is missed least. Takes about twice as long.',
  } as const,
  expected: 'What it brings',
  expectedNote: 'Estimated from the sizes of this model’s blocks.',
  expectations: { cache: 'KV cache', file: 'File', compute: 'Time' } as const,
  range(low: number, high: number): string {
    if (high < 0.0005) return `±0\u202f%`;
    return high - low < 0.005
      ? `−${formatPercent(high)}`
      : `−${formatPercent(low, 0)} to ${formatPercent(high, 0)}`;
  },
  presetLabel: 'Care and time',
  presets: { quick: 'Quick', balanced: 'Balanced', thorough: 'Thorough' } as const,
  ownPreset: 'Your own settings',
  device: 'Device',
  automatic: 'Automatic',
  doesNotWork: 'does not work here',
  advanced: 'Advanced settings',
  reset: 'Back to defaults',
  fields: {
    calibrationTokens: 'Tokens to calibrate with',
    heldoutTokens: 'Held-out tokens',
    strategy: 'How blocks are chosen',
    scales: 'Scales',
    epochs: 'Epochs',
    learningRate: 'Learning rate',
    selectionLearningRate: 'Rate while choosing',
    schedule: 'Course of the rate',
    batchRows: 'Rows a batch: choosing',
    trainingBatchRows: 'Rows a batch: learning',
    maxTokens: 'Longest row (tokens)',
    overlong: 'Longer rows',
    maxNewTokens: 'Longest answer (tokens)',
    seed: 'Seed',
    threads: 'Threads',
    memory: 'Memory limit (GB)',
  } as const,
  scales: {
    scalar: 'One a block (as published)',
    channel: 'One a channel',
    'channel+offset': 'A channel, with offsets',
    'channel+gain': 'A channel, norms too',
    'channel+gain+offset': 'A channel, norms too, with offsets',
  } as const,
  schedules: { constant: 'the same throughout', linear: 'falling to zero' } as const,
  overlong: { cut: 'are cut', drop: 'are left out' } as const,
  allThreads: 'all',
  noLimit: 'none',
  estimateTitle: 'What it takes on this machine',
  measuring: 'Measuring a few steps on this machine',
  measuringHint: 'some seconds',
  stopMeasuring: 'Stop measuring',
  measuringStopped: 'Measuring was stopped.',
  measureAgain: 'Measure again',
  notMeasured: 'Choose a model and a task to see how long it takes.',
  busy: 'A run is under way; measuring has to wait.',
  time: 'Time',
  memory: 'Memory',
  about: (seconds: number | undefined) =>
    seconds === undefined ? 'unknown' : `about ${formatDuration(seconds)}`,
  aboutBytes: (bytes: number) => `about ${formatBytes(bytes)}`,
  free: (bytes: number) => `${formatBytes(bytes)} free`,
  parts({ parts }: JobEstimate): string {
    return [
      `answers ${formatDuration(parts.answers)}`,
      `calibration ${formatDuration(parts.calibration)}`,
      `comparison ${formatDuration(parts.comparison)}`,
    ].join(', ');
  },
  willNotFit: 'This will not fit',
} as const;
