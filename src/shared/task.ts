/** Step 2, the task: a dataset as the model will see it. */
import * as v from 'valibot';
import { textUnit } from '../schema/columns.js';
import { taskPreview } from '../schema/results.js';
import { columnsText, jobChoices } from '../schema/settings.js';
import { count, filePath, modelChoice, positive } from '../schema/values.js';

/** What of a job's settings shows in the preview. */
export const SHOWN_IN_PREVIEW = [
  'responses',
  'calibrationTokens',
  'heldoutTokens',
  'calibrationRows',
  'heldoutRows',
  'maxTokens',
  'maxNewTokens',
  'overlong',
  'seed',
] as const;

export const taskOptions = v.object({
  columns: v.optional(columnsText),
  textUnit: v.optional(textUnit),
  ...v.pick(jobChoices, SHOWN_IN_PREVIEW).entries,
  /** Rows shown. */
  previewRows: v.optional(v.pipe(positive, v.maxValue(100)), 20),
});
export type TaskOptions = v.InferInput<typeof taskOptions>;

export const taskRequests = {
  /** A dialog; no path if the user cancelled. */
  'task.choose': { input: v.undefined(), output: v.object({ path: v.optional(filePath) }) },
  /**
   * Keeps pasted prompts as a dataset file: JSON lines as they are, otherwise a prompt a line, or a prompt a
   * paragraph where blank lines stand between them.
   */
  'task.paste': {
    input: v.object({ text: v.pipe(v.string(), v.minLength(1), v.maxLength(5_000_000)) }),
    output: v.object({ path: filePath, rows: count }),
  },
  'task.open': {
    input: v.object({ ...modelChoice.entries, dataset: filePath, ...taskOptions.entries }),
    output: taskPreview,
  },
  'task.recent': {
    input: v.undefined(),
    output: v.array(
      v.object({ dataset: filePath, name: v.string(), exists: v.boolean(), isSample: v.boolean() }),
    ),
  },
} as const;
