/** Words of what else can be cut, beside blocks. */
import type { Aim, Precision } from '../../schema/cuts.js';
import { formatBytes, formatPercent } from '../format/numbers.js';

export const cuts = {
  label: 'What else may become smaller',
  modes: { none: 'Nothing', chosen: 'What I choose', aim: 'Down to a size' } as const,
  hints: {
    none: 'Only blocks are skipped; all other weights stay as they are.',
    chosen: 'Made before blocks are chosen; the scales then make up for all of it together.',
    aim: 'Each cut is tried on your task first; those that reach the size for the least loss are made. The number of blocks follows from that.',
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
  size: 'Largest size (MB)',
  /** 'down to 75 MB' */
  aim: ({ goal }: Aim) =>
    goal.kind === 'size'
      ? `down to ${formatBytes(goal.bytes)}`
      : `while at most ${formatPercent(goal.largestDrop)} of the quality is lost`,
  notEstimated: 'The time that the cuts themselves take is not part of this.',
  together: (bytes: number) => `Together about ${formatBytes(bytes)}.`,
} as const;
