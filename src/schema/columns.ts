/** Dataset files: their formats, and what their columns mean. */
import * as v from 'valibot';

export const datasetFormat = v.picklist(['jsonl', 'json', 'csv', 'parquet', 'text']);
export type DatasetFormat = v.InferOutput<typeof datasetFormat>;

/** What one row of a plain text file is; 'auto' takes the first of separator, paragraph and line that the file shows. */
export const textUnit = v.picklist(['auto', 'separator', 'paragraph', 'line', 'file']);
export type TextUnit = v.InferOutput<typeof textUnit>;

/** Formats by the file name's extension (with the dot). */
export const FORMAT_OF_EXTENSION: ReadonlyMap<string, DatasetFormat> = new Map([
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.json', 'json'],
  ['.csv', 'csv'],
  ['.tsv', 'csv'],
  ['.parquet', 'parquet'],
  ['.txt', 'text'],
  ['.text', 'text'],
  ['.md', 'text'],
]);

export const columnMapping = v.variant('kind', [
  /** One column holds whole conversations. */
  v.object({ kind: v.literal('messages'), messages: v.string() }),
  v.object({
    kind: v.literal('prompt-response'),
    prompt: v.string(),
    /** The second part of an instruction, put after the first and a blank line. */
    input: v.optional(v.string()),
    /** Columns of a multiple-choice question's answers, or one column that holds a list of them. */
    choices: v.optional(v.pipe(v.array(v.string()), v.readonly())),
    /** Absent: the model's own answers are the responses. */
    response: v.optional(v.string()),
    system: v.optional(v.string()),
  }),
  /** Plain text, all of it to be predicted. */
  v.object({ kind: v.literal('text'), text: v.string() }),
]);
export type ColumnMapping = v.InferOutput<typeof columnMapping>;

/** A mapping in the form that a job's settings take: 'prompt=question,response=answer'. */
export function mappingText(mapping: ColumnMapping): string {
  if (mapping.kind === 'messages') return `messages=${quoted(mapping.messages)}`;
  if (mapping.kind === 'text') return `text=${quoted(mapping.text)}`;
  const { prompt, input, choices, response, system } = mapping;
  const parts = { prompt: [prompt], input: [input], choices, response: [response], system: [system] };
  return Object.entries(parts)
    .flatMap(([role, names]) => {
      const known = (names ?? []).filter((name) => name !== undefined);
      return known.length === 0 ? [] : [`${role}=${known.map(quoted).join('+')}`];
    })
    .join(',');
}

/** In quotes where the name would else be taken apart. */
function quoted(name: string): string {
  return /[,+"]|^\s|\s$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
