/** Words of step 2. */
import type { TaskWarning } from '../../schema/results.js';
import type { ProblemCount } from '../../schema/problems.js';
import { counted, formatCount } from '../format/numbers.js';

const formats = {
  jsonl: 'JSON lines',
  json: 'JSON',
  csv: 'CSV',
  parquet: 'Parquet',
  text: 'plain text',
} as const;

export const task = {
  emptyTitle: 'Choose a task',
  emptyLead:
    'A file of questions like those that your model will be asked: JSONL, JSON, CSV, Parquet or text.',
  needsModel: 'Choose a model first: a task is shown as that model will see it.',
  goToModel: 'Go to Model',
  openFile: 'Open file',
  paste: 'Paste prompts',
  reading: 'Reading the task',
  refusedTitle: (name: string) => `${name} cannot be used`,
  refusedHint: (name: string) => `${name} stays open.`,
  failedTitle: 'This file cannot be used',
  lead: (format: keyof typeof formats, rows: number) => `${formats[format]} · ${counted(rows, 'row')}`,
  recent: 'Other tasks',
  sampleTag: 'sample',
  pasteTitle: 'Paste prompts',
  pasteHint: 'One prompt a line, or a prompt a paragraph with blank lines between. JSON lines work too.',
  pasteAct: 'Use these prompts',
  pasteLabel: 'Prompts',
  columnsTitle: 'What the columns mean',
  columnsNeeded: 'Say which column holds what',
  kinds: {
    'prompt-response': 'Question and answer',
    'multiple-choice': 'Multiple choice',
    messages: 'Conversations',
    text: 'Text',
  } as const,
  noForm: '(not clear)',
  choices: 'Choices',
  kindLabel: 'Form of the rows',
  roles: {
    prompt: 'Question',
    input: 'Its second part',
    response: 'Answer',
    system: 'System message',
    messages: 'Conversation',
    text: 'Text',
  } as const,
  noColumn: '(none)',
  guessed: (reason: string) =>
    reason.startsWith('By ') ? `Guessed b${reason.slice(1)}` : `Guessed: ${reason}`,
  textTitle: 'What the text is',
  textUses: { text: 'Text to learn', prompts: 'A prompt a line' } as const,
  answersTitle: 'Whose answers to learn from',
  answers: { own: 'The model’s own', file: 'The file’s' } as const,
  answersHint: {
    own: 'The model answers every question first; the slimmed one learns to answer the same. Usually best.',
    file: 'The slimmed model learns the answers in the file.',
  } as const,
  textAnswers: 'Plain text has no questions: all of it is learnt from.',
  noFileAnswers: 'The file brings no answers.',
  rowsTitle: 'How the rows are used',
  calibration: 'to calibrate',
  heldout: 'held out',
  unused: 'not used',
  lengthsTitle: 'Length of the rows',
  lengths: (median: number, max: number) =>
    `Half are shorter than ${formatCount(median)} tokens; the longest has ${formatCount(max)}.`,
  lengthsPrompts: 'Questions alone, as the model will answer itself.',
  previewTitle: 'As the model sees them',
  previewKey: { prompt: 'read', response: 'learnt', special: 'special token' } as const,
  line: (line: number) => `row ${line}`,
  tokens: (prompt: number, response: number) =>
    response > 0 ? `${prompt} + ${response} tokens` : `${prompt} tokens, answer to come`,
  sides: { calibration: 'to calibrate', heldout: 'held out', unused: 'not used' } as const,
  warnings: {
    'few-rows': (count: number) =>
      `Only ${counted(count, 'row')} to calibrate with; 100 or more work better.`,
    'few-heldout': (count: number) => `Only ${counted(count, 'row')} held out: figures will be rough.`,
    'dropped-rows': (count: number) =>
      `${counted(count, 'row is', 'rows are')} too long and will be left out.`,
    'cut-rows': (count: number) => `${counted(count, 'row is', 'rows are')} too long and will be cut.`,
    duplicates: (count: number) => `${counted(count, 'row says', 'rows say')} the same as an earlier one.`,
    'unusable-rows': (count: number) => `${counted(count, 'row')} could not be used.`,
    'no-template': () => 'The model has no chat template: questions go in as plain text.',
  } satisfies Record<TaskWarning['kind'], (count: number) => string>,
  problem: ({ kind, count, lines, example }: ProblemCount) =>
    `${formatCount(count)} ${problemNames[kind]} (row ${lines.join(', ')}${count > lines.length ? ', …' : ''}: ${example})`,
} as const;

const problemNames: Record<ProblemCount['kind'], string> = {
  malformed: 'not readable',
  empty: 'empty',
  duplicate: 'repeated',
  'no-response': 'without an answer',
  'unknown-token': 'with a token that the model lacks',
  'too-long': 'too long',
  cut: 'cut',
  unread: 'not read',
};
