/** A weight in a file of another format: what it is, and its bytes row by row. */
import type { ElementType } from '../blocks/element-type.js';

export interface SourceTensor {
  name: string;
  type: ElementType;
  /** Outermost axis first: a projection's weight is [outputs, inputs]. */
  dims: readonly number[];
  /**
   * Bytes of some rows (places of all axes but the last), read now.
   * @throws UserError if the file is no longer what it was
   */
  readRows(first: number, count: number): Uint8Array;
}

/** Places of all axes but the last. */
export function rowsOf({ dims }: Pick<SourceTensor, 'dims'>): number {
  return dims.slice(0, -1).reduce((product, dim) => product * dim, 1);
}

/** Elements of a row. */
export function rowLength({ dims }: Pick<SourceTensor, 'dims'>): number {
  return dims.at(-1) ?? 1;
}

export function rowBytes({ dims, type }: Pick<SourceTensor, 'dims' | 'type'>): number {
  return (rowLength({ dims }) / type.block) * type.bytes;
}
