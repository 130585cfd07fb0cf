/** The values of a GGUF header, one after the other; counts are checked against what is left of the file. */
import { UserError } from '../../../schema/errors.js';
import type { FileBytes } from './file-bytes.js';

/** Numbers beyond 2^53 are refused; arrays are of one type. */
export type GgufValue = number | boolean | string | number[] | boolean[] | string[] | GgufValue[];

/** Arrays in arrays in arrays are in no model. */
const DEEPEST = 2;
const STRING = 8;
const ARRAY = 9;

interface Scalar {
  bytes: number;
  read(view: DataView): number | boolean | bigint;
}

const SCALARS = new Map<number, Scalar>([
  [0, { bytes: 1, read: (view) => view.getUint8(0) }],
  [1, { bytes: 1, read: (view) => view.getInt8(0) }],
  [2, { bytes: 2, read: (view) => view.getUint16(0, true) }],
  [3, { bytes: 2, read: (view) => view.getInt16(0, true) }],
  [4, { bytes: 4, read: (view) => view.getUint32(0, true) }],
  [5, { bytes: 4, read: (view) => view.getInt32(0, true) }],
  [6, { bytes: 4, read: (view) => view.getFloat32(0, true) }],
  [7, { bytes: 1, read: (view) => view.getUint8(0) !== 0 }],
  [10, { bytes: 8, read: (view) => view.getBigUint64(0, true) }],
  [11, { bytes: 8, read: (view) => view.getBigInt64(0, true) }],
  [12, { bytes: 8, read: (view) => view.getFloat64(0, true) }],
]);

// A byte order mark at the beginning of a token is a part of it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class GgufValues {
  #position: number;

  constructor(
    readonly bytes: FileBytes,
    position: number,
  ) {
    this.#position = position;
  }

  /** Where the next value begins, in bytes from the file's start. */
  get position(): number {
    return this.#position;
  }

  integer32(): number {
    return this.#take(4).getUint32(0, true);
  }

  /** @throws UserError if it is beyond 2^53 */
  integer64(): number {
    return this.#exact(this.#take(8).getBigUint64(0, true));
  }

  /** A number of things that take at least `bytes` each. @throws UserError if the file is too short for them */
  count(bytes: number, what: string): number {
    const count = this.integer64();
    const left = this.bytes.size - this.#position;
    if (count * bytes > left)
      throw this.#damaged(`it says that ${count} ${what} follow, but only ${left} bytes are left`);
    return count;
  }

  text(): string {
    const length = this.count(1, 'bytes of a text');
    // A copy: the view is overwritten by the next one.
    const view = this.#take(length);
    return decoder.decode(new Uint8Array(view.buffer, view.byteOffset, length));
  }

  value(type = this.integer32(), depth = 0): GgufValue {
    if (type === STRING) return this.text();
    if (type === ARRAY) return this.#array(depth);
    const scalar = SCALARS.get(type);
    if (!scalar) throw this.#damaged(`a value is of the unknown type ${type}`);
    const value = scalar.read(this.#take(scalar.bytes));
    return typeof value === 'bigint' ? this.#exact(value) : value;
  }

  #array(depth: number): GgufValue {
    if (depth >= DEEPEST) throw this.#damaged('it has arrays in arrays in arrays');
    const type = this.integer32();
    const bytes = type === STRING ? 8 : type === ARRAY ? 12 : SCALARS.get(type)?.bytes;
    if (bytes === undefined) throw this.#damaged(`an array is of the unknown type ${type}`);
    const count = this.count(bytes, 'values of an array');
    const values: GgufValue[] = [];
    for (let index = 0; index < count; index += 1) values.push(this.value(type, depth + 1));
    return values;
  }

  #take(length: number): DataView {
    const view = this.bytes.peek(this.#position, length);
    this.#position += length;
    return view;
  }

  #exact(value: bigint): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw this.#damaged(`it holds the number ${value}`);
    return number;
  }

  #damaged(what: string): UserError {
    return new UserError(`${this.bytes.path} is damaged: ${what}; download it again.`);
  }
}
