/** What is known of the values of a graph before it runs: their shapes and element types. */

/** One dimension: a number where every run has the same, undefined where runs differ (rows, positions). */
export type Dim = number | undefined;
export type Shape = readonly Dim[];

export interface ValueType {
  shape: Shape;
  /** The shape in each of the runs by which types were found; missing where it depends on what is fed. */
  shapes?: readonly (readonly number[])[];
  /** onnxruntime's element type: 'float32', 'int64'... */
  type: string;
}

/** Types and shapes of the values of a graph, by name. */
export type ValueTypes = ReadonlyMap<string, ValueType>;
