#!/usr/bin/env node
/** The command line of Hopscotch. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { CancelledError, UserError } from '../engine/index.js';
import { addCompareCommand } from './commands/compare.js';
import { addEvaluateCommand } from './commands/evaluate.js';
import { addExportCommand } from './commands/export.js';
import { addInspectCommand } from './commands/inspect.js';
import { addRunsCommand } from './commands/runs.js';
import { addSlimCommand } from './commands/slim.js';
import { EXIT_CODES, EXIT_CODE_HELP } from './exit-codes.js';

const { version, description } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string; description: string };

// A reader that closes early, such as `head`, is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT_CODES.done : EXIT_CODES.unexpected);
});

const program = new Command('hopscotch')
  .description(description)
  .version(version)
  .exitOverride()
  .showHelpAfterError('(add --help for the options)')
  .addHelpText('after', EXIT_CODE_HELP);

addInspectCommand(program);
addSlimCommand(program);
addEvaluateCommand(program);
addCompareCommand(program);
addExportCommand(program);
addRunsCommand(program);
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.userError;
  if (error instanceof CancelledError) return EXIT_CODES.stopped;
  if (error instanceof UserError) {
    process.stderr.write(`${pc.red('hopscotch:')} ${error.message}\n`);
    return EXIT_CODES.userError;
  }
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${pc.red('hopscotch:')} something went wrong that should not: ${reason}\n`);
  if (process.env.HOPSCOTCH_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  else process.stderr.write('Set HOPSCOTCH_DEBUG=1 to see where, and please report it.\n');
  return EXIT_CODES.unexpected;
}
