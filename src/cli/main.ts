#!/usr/bin/env node
/** The command line of Hopscotch. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { addCompareCommand } from './commands/compare.js';
import { addEvaluateCommand } from './commands/evaluate.js';
import { addExportCommand } from './commands/export.js';
import { addImportCommand } from './commands/import.js';
import { addInspectCommand } from './commands/inspect.js';
import { addModelsCommand } from './commands/models.js';
import { addReportCommand } from './commands/report.js';
import { addRunsCommand } from './commands/runs.js';
import { addSlimCommand } from './commands/slim.js';
import { EXIT_CODES, EXIT_CODE_HELP } from './exit-codes.js';
import { reportFailure } from './failure.js';
import { needsSupervisor, supervise } from './supervisor.js';

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
addReportCommand(program);
addRunsCommand(program);
addImportCommand(program);
addModelsCommand(program);
for (const command of program.commands) command.exitOverride();

const args = process.argv.slice(2);
try {
  if (needsSupervisor(args)) process.exitCode = await supervise(fileURLToPath(import.meta.url), args);
  else await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
