/** Schemas that several subjects of the contract share. */
import * as v from 'valibot';

/** A share from 0 to 1. */
export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
/** A whole number from 0. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A whole number from 1. */
export const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
/** A path or a name of a file; never empty, never absurdly long. */
export const filePath = v.pipe(v.string(), v.minLength(1), v.maxLength(32_768));
/** A run's name, which is also its folder's: no separators, no dots at its start. */
export const runId = v.pipe(v.string(), v.regex(/^[\w-][\w.-]{0,254}$/, 'not the name of a run'));
/** A name that the asking side gives to what it asks for, so that events can be told apart. */
export const ticket = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'not a ticket'));

export const blockKind = v.picklist(['attention', 'mlp']);
export type BlockKind = v.InferOutput<typeof blockKind>;

/** 'attention 7' or 'mlp 0'; layers count from 0 at the input. */
export type BlockName = `${BlockKind} ${number}`;
export const blockName = v.custom<BlockName>(
  (value) => typeof value === 'string' && /^(attention|mlp) \d{1,4}$/.test(value),
  "not the name of a block such as 'attention 3'",
);

/** A measured figure with its 95 % interval. An interval of a single row has no finite ends. */
export const estimate = v.object({ value: v.number(), low: v.number(), high: v.number() });
export type Estimate = v.InferOutput<typeof estimate>;

/** Which model: a folder (or an ONNX file), and which ONNX file of the folder where it holds several. */
export const modelChoice = v.object({ model: filePath, modelFile: v.optional(filePath) });
export type ModelChoice = v.InferOutput<typeof modelChoice>;
