/** A file that is read in places: every read is checked against the file's size before memory is taken for it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../../../schema/errors.js';

/** How much is read ahead where a header is read value by value, in bytes. */
const WINDOW = 1 << 20;

export class FileBytes {
  readonly size: number;
  readonly #descriptor: number;
  #window = new Uint8Array();
  #windowStart = 0;

  /** @throws UserError if the file cannot be opened */
  constructor(readonly path: string) {
    try {
      this.#descriptor = openSync(path, 'r');
    } catch (error) {
      throw new UserError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
    }
    this.size = fstatSync(this.#descriptor).size;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** @throws UserError if the file ends before */
  read(offset: number, length: number): Uint8Array {
    this.#check(offset, length);
    const bytes = new Uint8Array(length);
    this.#fill(bytes, offset);
    return bytes;
  }

  /** A few bytes, from what was read ahead; the view holds until the next call. @throws UserError as read */
  peek(offset: number, length: number): DataView {
    this.#check(offset, length);
    const start = offset - this.#windowStart;
    if (start < 0 || start + length > this.#window.length) {
      this.#window = new Uint8Array(Math.min(Math.max(WINDOW, length), this.size - offset));
      this.#windowStart = offset;
      this.#fill(this.#window, offset);
      return new DataView(this.#window.buffer, 0, length);
    }
    return new DataView(this.#window.buffer, start, length);
  }

  #check(offset: number, length: number): void {
    if (offset + length > this.size || offset < 0 || length < 0) {
      throw new UserError(
        `${this.path} ends before what its header promises; it is damaged or was not downloaded completely.`,
      );
    }
  }

  #fill(target: Uint8Array, offset: number): void {
    for (let done = 0; done < target.length;) {
      const read = readSync(
        this.#descriptor,
        target,
        done,
        Math.min(target.length - done, 1 << 30),
        offset + done,
      );
      if (read === 0) throw new UserError(`${this.path} became shorter while it was read; try again.`);
      done += read;
    }
  }
}
