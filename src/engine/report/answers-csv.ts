/** Answers as a CSV file (RFC 4180), for spreadsheets. */
import type { ReportAnswers } from './report-answers.js';

/** One line a prompt: what was asked and expected, then each model's answer and whether it is right. */
export function answersCsv({ names, rows }: ReportAnswers): string {
  const head = [
    'row',
    'prompt',
    'expected',
    ...names.flatMap((name) => [name, `${name}: right`]),
    'same answer',
  ];
  const lines = rows.map(({ line, prompt, expected, answers }) => [
    String(line),
    prompt,
    expected ?? '',
    ...answers.flatMap((answer) => [answer?.text ?? '', yesOrNo(answer?.right)]),
    yesOrNo(answers.slice(1).every((answer) => answer?.same === true)),
  ]);
  return `${[head, ...lines].map((cells) => cells.map(cellText).join(',')).join('\r\n')}\r\n`;
}

function yesOrNo(value: boolean | undefined): string {
  return value === undefined ? '' : value ? 'yes' : 'no';
}

/** Spreadsheets take a text that begins so for a formula, which could do anything; a mark before it keeps it a text. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;

function cellText(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
