/** The app's log file: what went wrong, for people who report it. */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

export type LogLevel = 'info' | 'warning' | 'error';

const LARGEST_BYTES = 1_000_000;

export class Log {
  readonly #file: string;

  /** @param folder made if it is not there; the file before the current one is kept beside it */
  constructor(readonly folder: string) {
    this.#file = path.join(folder, 'hopscotch.log');
  }

  write(level: LogLevel, message: string, error?: unknown): void {
    const reason =
      error instanceof Error
        ? ` ${error.stack ?? error.message}`
        : error === undefined
          ? ''
          : ` ${String(error)}`;
    const line = `${new Date().toISOString()} ${level} ${message}${reason}\n`;
    if (level !== 'info' && process.env.HOPSCOTCH_DEBUG) process.stderr.write(line);
    try {
      mkdirSync(this.folder, { recursive: true });
      if (existsSync(this.#file) && statSync(this.#file).size > LARGEST_BYTES) {
        renameSync(this.#file, `${this.#file}.1`);
      }
      appendFileSync(this.#file, line);
    } catch {
      // A disk that is full or read-only must not stop the app because of its log.
    }
  }
}
