/** Step 1, the model: choosing one, and what it is made of. */
import * as v from 'valibot';
import { modelDescription } from '../schema/blocks.js';
import { count, filePath, modelChoice } from '../schema/values.js';

/** A model as step 1 shows it. */
export const openedModel = v.object({
  ...modelDescription.entries,
  /** Whether it is the model that comes with the app. */
  isSample: v.boolean(),
});
export type OpenedModel = v.InferOutput<typeof openedModel>;

/** A model that can be opened with one click. */
export const knownModel = v.object({
  ...modelChoice.entries,
  name: v.string(),
  bytes: v.optional(count),
  family: v.optional(v.string()),
  /** False if its folder is gone. */
  exists: v.boolean(),
  isSample: v.boolean(),
});
export type KnownModel = v.InferOutput<typeof knownModel>;

export const modelRequests = {
  /** A dialog; no path if the user cancelled. */
  'model.choose': {
    input: v.object({ what: v.picklist(['folder', 'file']) }),
    output: v.object({ path: v.optional(filePath) }),
  },
  /** Reads a model; it then stands first among the recent ones. */
  'model.open': { input: modelChoice, output: openedModel },
  'model.recent': { input: v.undefined(), output: v.array(knownModel) },
  'model.forget': { input: modelChoice, output: v.array(knownModel) },
  /** Models with ONNX files in the Hugging Face cache. */
  'model.found': { input: v.undefined(), output: v.array(knownModel) },
} as const;
