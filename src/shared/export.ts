/** Step 6, exporting: the slimmed model as a folder. */
import * as v from 'valibot';
import { runPoint } from './compare.js';
import { count, filePath } from './values.js';

export const exportMode = v.picklist(['folded', 'explicit']);
export type ExportMode = v.InferOutput<typeof exportMode>;

export const exportTarget = v.object({
  ...runPoint.entries,
  mode: v.optional(exportMode, 'folded'),
  /** The folder that the model's own folder is made in. */
  parent: filePath,
  /** Name of the model's folder. */
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200)),
});
export type ExportTarget = v.InferInput<typeof exportTarget>;

const exportedFile = v.object({
  name: v.string(),
  bytes: count,
  estimated: v.boolean(),
  what: v.picklist(['model', 'weights', 'config', 'tokenizer', 'record', 'readme', 'other']),
});

export const exportPreview = v.object({
  folder: filePath,
  /** What will be written; sizes are estimates for the model's own files. */
  files: v.array(exportedFile),
  totalBytes: count,
  originalBytes: count,
  /** Free on the disk; absent where it is not known. */
  freeBytes: v.optional(v.number()),
  /** One sentence: why it cannot be written there. */
  problem: v.optional(v.string()),
});
export type ExportPreview = v.InferOutput<typeof exportPreview>;

export const exportResult = v.object({
  folder: filePath,
  /** The ONNX file, relative to the folder. */
  modelFile: filePath,
  /** What was written. */
  files: v.array(exportedFile),
  originalBytes: count,
  slimmedBytes: count,
  /** The check of the written file against the trained model. */
  verification: v.object({
    largestDifference: v.number(),
    largestLogit: v.number(),
    tolerance: v.number(),
    positions: count,
  }),
  /** Code that loads it. */
  snippets: v.array(
    v.object({
      runtime: v.picklist(['transformers.js', 'onnxruntime-genai', 'onnxruntime']),
      language: v.picklist(['js', 'python']),
      code: v.string(),
    }),
  ),
});
export type ExportResult = v.InferOutput<typeof exportResult>;

export const exportRequests = {
  /** A folder and a name that would do. */
  'export.suggest': { input: runPoint, output: v.object({ parent: filePath, name: v.string() }) },
  /** A dialog for the parent folder; no path if the user cancelled. */
  'export.choose': { input: v.undefined(), output: v.object({ path: v.optional(filePath) }) },
  'export.preview': { input: exportTarget, output: exportPreview },
  /** Writes and verifies; refuses to overwrite anything. */
  'export.write': { input: exportTarget, output: exportResult },
  /** Shows an exported folder in the system's file manager. */
  'export.reveal': { input: v.object({ folder: filePath }), output: v.undefined() },
} as const;
