/** Words of step 6. */
import type { ExportPreview, ExportResult } from '../../schema/results.js';
import type { KindChoice } from '../curve/kinds.js';
import { counted, formatBytes, formatSaving } from '../format/numbers.js';
import { blocksWords } from './blocks.js';

export const exporting = {
  title: 'Take it with you',
  lead: (blocks: number, kind: KindChoice | undefined) =>
    `The model with ${blocksWords(kind, blocks)} skipped, as a folder that the usual runtimes load. Pick another point in Compare.`,
  emptyTitle: 'Nothing to export yet',
  emptyLead: 'Slim a model, or open one of your runs; then it can be written here.',
  folder: 'Folder',
  choose: 'Choose',
  name: 'Name',
  mode: 'Scales',
  modes: { folded: 'Folded', explicit: 'Explicit' } as const,
  modeHint: {
    folded: 'Worked into the weights: no extra step at run time. The usual choice.',
    explicit: 'Kept as numbers of their own that you can look at, with a multiplication each.',
  } as const,
  filesTitle: 'What will be written',
  writtenTitle: 'What was written',
  files: {
    model: 'the model',
    weights: 'its weights',
    config: 'configuration',
    tokenizer: 'tokenizer',
    record: 'what was skipped and measured',
    readme: 'for people',
    other: '',
  } satisfies Record<ExportPreview['files'][number]['what'], string>,
  looking: 'Looking at the folder',
  about: (bytes: number, estimated: boolean) => `${estimated ? 'about ' : ''}${formatBytes(bytes)}`,
  total: 'Together',
  change: (before: number, after: number) => `${formatSaving(1 - after / before)} of ${formatBytes(before)}`,
  free: (bytes: number) => `${formatBytes(bytes)} free on the disk`,
  problemTitle: 'It cannot be written there',
  write: 'Export',
  writing: 'Writing and checking',
  writingHint: 'the written file is loaded again and compared',
  failedTitle: 'Nothing was written',
  doneTitle: 'Written and checked',
  verified: ({ verification }: ExportResult) =>
    verification.largestDifference === 0
      ? `The written file gives exactly the outputs of the model that was trained, at ${counted(verification.positions, 'position')}.`
      : verification.noise !== undefined
        ? `The written file gives the answers of the model that was trained: over ${counted(verification.positions, 'position')} it differs by ${small(verification.divergence)} nats a token, which is within the noise of its own numbers (up to ${small(verification.noise)}).`
        : `The written file gives the answers of the model that was trained: over ${counted(verification.positions, 'position')} its outputs differ by ${small(verification.largestDifference)} at most (allowed: ${small(verification.tolerance)}).`,
  sizes: ({ originalBytes, slimmedBytes }: ExportResult) =>
    `${formatBytes(slimmedBytes)}, was ${formatBytes(originalBytes)} (${formatSaving(1 - slimmedBytes / originalBytes)}).`,
  reveal: 'Show folder',
  another: 'Export again',
  snippetsTitle: 'Load it',
  languages: { js: 'JavaScript', python: 'Python' } as const,
  copy: 'Copy',
  copied: 'Copied',
  notCopied: 'Select the text and copy it',
} as const;

function small(value: number): string {
  return value === 0
    ? '0'
    : value
        .toExponential(1)
        .replace('e-', '\u202f×\u202f10⁻')
        .replace(/(\d)$/, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]!);
}
