/** How a file keeps the elements of a weight: as floats, or in blocks of small codes with a scale each. */

/** Some elements in codes: element i of block b is scale[b] * (code[i] - zero), or scale[b] * code[i] + minimum[b]. */
export interface Codes {
  /** Elements that share a scale. */
  block: number;
  codes: Uint8Array;
  scales: Float32Array;
  /** Absent where the type is symmetric about `zero`. */
  minima?: Float32Array;
}

export interface ElementType {
  name: string;
  /** Elements that are stored together, and the bytes they take. */
  block: number;
  bytes: number;
  /** Set where elements are stored one by one as floats. */
  float?: (view: DataView, offset: number) => number;
  /** Set where they are stored in codes. */
  coded?: {
    /** Elements that share a scale; those stored together are some such blocks. */
    scaleBlock: number;
    /** The code that stands for 0; absent where blocks have minima. */
    zero?: number;
    /** Codes are below. */
    levels: number;
    decode(bytes: Uint8Array): Codes;
  };
}
