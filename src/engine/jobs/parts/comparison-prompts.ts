/** The prompts of a comparison: a run's held-out ones, or those of a file. */
import path from 'node:path';
import type { PromptSource } from '../../../schema/comparison.js';
import { UserError } from '../../../schema/errors.js';
import { isTextExample, type Example } from '../../data/example.js';
import { readDataset } from '../../data/dataset.js';
import { loadTokenizer } from '../../data/tokenizer.js';
import type { KeptPrompt } from '../../runs/comparison-store.js';
import type { JobContext } from '../context.js';
import { runModels } from './points.js';
import { mapColumns, readRows } from './rows.js';
import { usedRows } from './token-budget.js';

/**
 * @param count the first ones only
 * @throws UserError if the file or the run's dataset cannot be read, or brings no prompts
 */
export async function comparisonPrompts(
  source: PromptSource,
  count: number | undefined,
  context: JobContext,
): Promise<{ source: string; prompts: KeptPrompt[] }> {
  const { name, examples } =
    source.from === 'heldout' ? await heldoutExamples(source.run, context) : await fileExamples(source);
  return { source: name, prompts: examples.slice(0, count).map(toPrompt) };
}

async function heldoutExamples(id: string, context: JobContext) {
  const { settings, datasetName } = context.store.openExactly(id);
  const { reference } = await runModels({ run: id }, context);
  const reader = { tokenizer: await loadTokenizer(reference.source.folder), model: reference.decoder };
  const read = await readRows(reader, settings);
  const lines = new Set(usedRows(reader, read, 'heldout', settings).rows.map(({ line }) => line));
  const examples = read.heldout.filter(({ line }) => lines.has(line));
  if (read.isText)
    throw new UserError(
      `The run ${id} learnt from plain text, which has no prompts; give a file with prompts instead.`,
    );
  return { name: datasetName, examples };
}

async function fileExamples({ file, columns }: Extract<PromptSource, { from: 'file' }>) {
  const dataset = await readDataset(file, { textUnit: 'line' });
  return { name: path.basename(file), examples: mapColumns(dataset, columns).examples };
}

/** A text that stands alone is a prompt. */
function toPrompt(example: Example): KeptPrompt {
  const { line } = example;
  if (isTextExample(example)) return { line, messages: [{ role: 'user', content: example.text }] };
  return { line, messages: example.messages, expected: example.response };
}
