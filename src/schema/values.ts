/** Values that several subjects share. */
import * as v from 'valibot';

/** A share from 0 to 1. */
export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
/** A whole number from 0. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A whole number from 1. */
export const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
/** A path or a name of a file; never empty, never absurdly long. */
export const filePath = v.pipe(v.string(), v.minLength(1), v.maxLength(32_768));

/** JSON has no infinity and writes null. */
const end = (infinity: number) =>
  v.union([
    v.number(),
    v.pipe(
      v.null(),
      v.transform(() => infinity),
    ),
  ]);

/** A measured figure with its 95 % interval. An interval of a single row has no finite ends. */
export const estimate = v.object({ value: v.number(), low: end(-Infinity), high: end(Infinity) });
export type Estimate = v.InferOutput<typeof estimate>;

/** Which model: a folder (or an ONNX file), and which ONNX file of the folder where it holds several. */
export const modelChoice = v.object({ model: filePath, modelFile: v.optional(filePath) });
export type ModelChoice = v.InferOutput<typeof modelChoice>;
