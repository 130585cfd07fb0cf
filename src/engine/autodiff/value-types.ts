/** What is known of the values of a graph before it runs: their shapes and element types. */

/** One dimension: a number where every run has the same, undefined where runs differ (rows, positions). */
export type Dim = number | undefined;
export type Shape = readonly Dim[];

export interface ValueType {
  shape: Shape;
  /** onnxruntime's element type: 'float32', 'int64'... */
  type: string;
}

/** Types and shapes of the values of a graph, by name. */
export type ValueTypes = ReadonlyMap<string, ValueType>;
