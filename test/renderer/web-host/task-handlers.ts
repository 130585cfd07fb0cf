import type { LengthStatistics, TaskPreview } from '../../../src/schema/results.js';
import { fileName } from '../../../src/renderer/format/paths.js';
import { TASKS, taskPath } from './places.js';
import { rows } from './recorded.js';
import type { SceneOptions } from './scenes.js';
import { StandInFailure, type Handlers } from './handlers.js';

type Names = `task.${string}`;

export function taskHandlers({ scene }: SceneOptions): Pick<Handlers, Extract<keyof Handlers, Names>> {
  return {
    'task.choose': () => ({ path: '/home/ada/faq.csv' }),
    'task.paste': () => ({ path: '/home/ada/.hopscotch/pasted/prompts.jsonl', rows: 12 }),
    'task.recent': () =>
      scene === 'empty'
        ? []
        : TASKS.map((name) => ({ dataset: taskPath(name), name, exists: true, isSample: true })),
    'task.open': async ({ dataset, columns, responses, previewRows }) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (/\.(png|pdf)$/.test(dataset))
        throw new StandInFailure(
          'user',
          `${dataset} is no dataset: it is neither JSON, CSV, Parquet nor text. Choose a file of questions, one a line.`,
        );
      if (dataset.endsWith('quiz.csv')) return multipleChoice(dataset);
      return dataset.endsWith('faq.csv') && columns === undefined
        ? columnsNeeded(dataset)
        : ready(dataset, columns, responses ?? 'own', previewRows, scene === 'hundred-layers');
    },
  };
}

function ready(
  dataset: string,
  columns: string | undefined,
  responses: 'own' | 'file',
  previewRows: number,
  withWarnings: boolean,
): TaskPreview {
  const shown = rows
    .slice(0, previewRows)
    .map((row) =>
      responses === 'file'
        ? row
        : { ...row, pieces: row.pieces.filter(({ part }) => part === 'prompt'), responseTokens: 0 },
    );
  const isFaq = dataset.endsWith('faq.csv');
  return {
    state: 'ready',
    dataset,
    name: fileName(dataset).replace(/\.[^.]+$/, ''),
    format: isFaq ? 'csv' : 'jsonl',
    rows: 600,
    columns: isFaq ? ['col_a', 'col_b', 'col_c'] : ['prompt', 'response'],
    samples: [],
    problems: withWarnings
      ? [{ kind: 'too-long', count: 7, lines: [14, 52, 77, 103, 240], example: '612 tokens, more than 512' }]
      : [],
    mapping: {
      kind: 'prompt-response',
      prompt: isFaq ? 'col_a' : 'prompt',
      response: isFaq ? 'col_b' : 'response',
    },
    mappingText: columns ?? 'prompt=prompt,response=response',
    guessed: columns === undefined,
    reason: "By their names: 'prompt' as the prompt, 'response' as the response.",
    hasResponses: true,
    isText: false,
    responses,
    preview: shown,
    lengths: lengths(rows.map((row) => row.promptTokens + (responses === 'file' ? row.responseTokens : 0))),
    split: { calibration: 256, heldout: 128, unused: 216 },
    warnings: withWarnings
      ? [
          { kind: 'dropped-rows', count: 7 },
          { kind: 'duplicates', count: 31 },
        ]
      : [],
  };
}

/** A file without a header, as exports of such questions are. */
function multipleChoice(dataset: string): TaskPreview {
  const values = [
    'Which planet has the longest day, measured from one sunrise to the next?',
    'Mercury',
    'Venus',
    'Jupiter',
    'The one that is farthest from the sun and therefore the slowest on its way around it',
    'B',
  ];
  const columns = values.map((_, place) => `column_${place + 1}`);
  return {
    ...ready(dataset, undefined, 'file', 20, false),
    format: 'csv',
    rows: 152,
    columns,
    samples: [Object.fromEntries(columns.map((name, place) => [name, values[place]!]))],
    mapping: {
      kind: 'prompt-response',
      prompt: 'column_1',
      choices: columns.slice(1, 5),
      response: 'column_6',
    },
    reason:
      "By their order: 'column_1' and the choices column_2, column_3, column_4, column_5 as the prompt, 'column_6' as the response.",
  } as TaskPreview;
}

function columnsNeeded(dataset: string): TaskPreview {
  return {
    state: 'columns-needed',
    dataset,
    name: 'faq',
    format: 'csv',
    rows: 212,
    columns: ['col_a', 'col_b', 'col_c'],
    problems: [],
    message: `Which columns of ${dataset} hold the prompts cannot be guessed; it has the columns 'col_a', 'col_b', 'col_c'.`,
    samples: [
      {
        col_a: 'How do I reset my password?',
        col_b: 'Open Settings, then Account, and choose Reset password. You will get an e-mail.',
        col_c: 'account',
      },
      {
        col_a: 'Where is my invoice?',
        col_b: 'Invoices are sent on the first of each month.',
        col_c: 'billing',
      },
      { col_a: 'Can I change my plan?', col_b: 'Yes, at any time, under Billing.', col_c: 'billing' },
    ],
  };
}

function lengths(values: number[]): LengthStatistics {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  const [min, max] = [at(0), at(1)];
  const width = Math.max(1, Math.ceil((max - min + 1) / 16));
  const histogram = Array.from({ length: Math.ceil((max - min + 1) / width) }, (_, place) => {
    const from = min + place * width;
    const to = from + width - 1;
    return { from, to, rows: values.filter((value) => value >= from && value <= to).length };
  });
  const tokens = values.reduce((sum, value) => sum + value, 0);
  return {
    rows: values.length,
    tokens,
    min,
    median: at(0.5),
    mean: tokens / values.length,
    p90: at(0.9),
    max,
    histogram,
  };
}
