/** What a command that failed says on standard error, and with which code it ends. */
import { CommanderError } from 'commander';
import pc from 'picocolors';
import { CancelledError, forUsers, UserError } from '../engine/index.js';
import { EXIT_CODES } from './exit-codes.js';

/** @returns the exit code; what the user has to know is said, once */
export function reportFailure(thrown: unknown): number {
  const error = forUsers(thrown);
  // Commander has said what is wrong with the arguments, and what help was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.userError;
  if (error instanceof CancelledError) return EXIT_CODES.stopped;
  if (error instanceof UserError) {
    const typed = error.inCommands === undefined ? '' : ` At the command line: ${error.inCommands}`;
    process.stderr.write(`${pc.red('hopscotch:')} ${error.message}${typed}\n`);
    return EXIT_CODES.userError;
  }
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${pc.red('hopscotch:')} something went wrong that should not: ${reason}\n`);
  if (process.env.HOPSCOTCH_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  else process.stderr.write('Set HOPSCOTCH_DEBUG=1 to see where, and please report it.\n');
  return EXIT_CODES.unexpected;
}
