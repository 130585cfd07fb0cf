/** Words of what else can be cut, beside blocks. */
import type { Aim, PlannedKind, Precision } from '../../schema/cuts.js';
import { formatBytes, formatPercent } from '../format/numbers.js';

export const cuts = {
  label: 'What else may become smaller',
  labelOfAim: 'What may become smaller',
  modes: { none: 'Nothing', chosen: 'What I choose', aim: 'One aim' } as const,
  hints: {
    none: 'Only blocks are skipped; all other weights stay as they are.',
    chosen: 'Made before blocks are chosen; the scales then make up for all of it together.',
    aim: 'Each cut is tried on your task first; those that reach the aim for the least loss are made. The number of blocks follows from that.',
  } as const,
  precision: 'Precision of the weights',
  precisions: {
    keep: 'as it is',
    fp16: '16 bits',
    int8: '8 bits',
    q4: '4 bits',
    q4f16: '4 bits, computing in 16',
  } as const satisfies Record<Precision | 'keep', string>,
  withSize: (name: string, bytes: number) => `${name}: about ${formatBytes(bytes)}`,
  neurons: 'MLP neurons to remove',
  neuronsValue: (share: number) => (share === 0 ? 'none' : `${Math.round(share * 100)}\u202f%`),
  vocabulary: 'Drop tokens of scripts that the task does not hold',
  vocabularyHint:
    'Text in the task’s scripts is read exactly as before; other text still works, byte by byte.',
  lastToken: 'Logits of the last position only',
  lastTokenHint: 'Right for chat; tools that score whole texts need all of them.',
  goal: 'Aim',
  goals: {
    size: 'A size',
    speed: 'A speed',
    quality: 'A limit of quality',
  } as const satisfies Record<Aim['goal']['kind'], string>,
  goalValues: {
    size: 'Largest size (MB)',
    speed: 'Times as fast, at least',
    quality: 'Quality that may be lost (%)',
  } as const satisfies Record<Aim['goal']['kind'], string>,
  goalHints: {
    size: 'Of all files of the model together.',
    speed: 'New tokens, measured on this machine beside the original.',
    quality: 'The smallest model within it, before the scales make up for any of it.',
  } as const satisfies Record<Aim['goal']['kind'], string>,
  kindsLabel: 'Cuts that may be used',
  kinds: {
    attention: 'Skip attention blocks',
    neurons: 'Remove MLP neurons',
    vocabulary: 'Drop tokens of scripts that the task does not hold',
    precision: 'Weights of fewer bits',
  } as const satisfies Record<PlannedKind, string>,
  /** 'down to 75 MB' */
  aim: ({ goal }: Aim) => {
    switch (goal.kind) {
      case 'size':
        return `down to ${formatBytes(goal.bytes)}`;
      case 'speed':
        return `to ${goal.times} times the speed`;
      case 'quality':
        return `while at most ${formatPercent(goal.largestDrop)} of the quality is lost`;
    }
  },
  notEstimated: 'The time that the cuts themselves take is not part of this.',
  together: (bytes: number) => `Together about ${formatBytes(bytes)}.`,
} as const;
