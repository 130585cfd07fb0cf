/** Files that are either the old or the new version, whatever happens while they are written. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { UserError } from '../../schema/errors.js';
import { plainWords } from '../../schema/plain-words.js';

/** @throws UserError if the disk is full or the folder cannot be written to */
export function writeFileAtomically(file: string, text: string): void {
  const temporary = `${file}.writing`;
  try {
    const descriptor = openSync(temporary, 'w');
    try {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UserError(
      `${file} could not be written (${plainWords(error)}); the last saved state is untouched. Free some space or choose another folder.`,
    );
  }
}
