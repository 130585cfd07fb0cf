/** Step 1, the model: choosing one, and what it is made of. */
import * as v from 'valibot';
import { modelDescription } from '../schema/blocks.js';
import { foreseenImport } from '../schema/results.js';
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
  /** Of a model that was found: whose it is. */
  place: v.optional(v.picklist(['hugging-face', 'lm-studio', 'ollama'])),
});
export type KnownModel = v.InferOutput<typeof knownModel>;

export const modelRequests = {
  /** A dialog; no path if the user cancelled. */
  'model.choose': {
    input: v.object({ what: v.picklist(['folder', 'file']) }),
    output: v.object({ path: v.optional(filePath) }),
  },
  /** Whether a model has to be converted before it can be opened, and into what. */
  'model.look': { input: modelChoice, output: v.object({ conversion: v.optional(foreseenImport) }) },
  /** Reads a model, converted first where it is of another format (`model.converting` tells how far); it then stands first among the recent ones. */
  'model.open': { input: modelChoice, output: openedModel },
  /** The model's opening is answered as cancelled, and nothing of its conversion stays. */
  'model.stop': { input: modelChoice, output: v.undefined() },
  'model.recent': { input: v.undefined(), output: v.array(knownModel) },
  'model.forget': { input: modelChoice, output: v.array(knownModel) },
  /** Models that other programs have downloaded: in the Hugging Face cache, of LM Studio, of Ollama. */
  'model.found': { input: v.undefined(), output: v.array(knownModel) },
} as const;

export const modelEvents = {
  /** Bytes of weights converted, of a model that is being opened. */
  'model.converting': v.object({
    model: filePath,
    done: v.number(),
    total: v.number(),
    secondsLeft: v.optional(v.number()),
  }),
} as const;
