/** Step 6, exporting: the slimmed model as a folder. */
import * as v from 'valibot';
import { exportPreview, exportResult } from '../schema/results.js';
import { runPoint } from '../schema/runs.js';
import { exportMode } from '../schema/settings.js';
import { filePath } from '../schema/values.js';

export const exportTarget = v.object({
  ...runPoint.entries,
  mode: v.optional(exportMode, 'folded'),
  /** The folder that the model's own folder is made in. */
  parent: filePath,
  /** Name of the model's folder. */
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200)),
});
export type ExportTarget = v.InferInput<typeof exportTarget>;

export const exportRequests = {
  /** A folder and a name that would do. */
  'export.suggest': { input: runPoint, output: v.object({ parent: filePath, name: v.string() }) },
  /** A dialog for the parent folder; no path if the user cancelled. */
  'export.choose': { input: v.undefined(), output: v.object({ path: v.optional(filePath) }) },
  'export.preview': { input: exportTarget, output: exportPreview },
  /** Writes and verifies; refuses to overwrite anything. */
  'export.write': { input: exportTarget, output: exportResult },
  /** A dialog for a report's HTML file; no path if the user cancelled. */
  'report.choose': {
    input: v.object({ name: v.string() }),
    output: v.object({ path: v.optional(filePath) }),
  },
  /** Writes figures, curve and answers as a page, and the answers as CSV beside it; replaces what is there. */
  'report.write': {
    input: v.object({ ...runPoint.entries, file: filePath }),
    output: v.object({ file: filePath, csv: v.optional(filePath) }),
  },
  /** Shows an exported folder or a report in the system's file manager. */
  'export.reveal': { input: v.object({ folder: filePath }), output: v.undefined() },
} as const;
