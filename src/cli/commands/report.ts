/** `hopscotch report`: a point of a run's curve as an HTML page, its answers as CSV. */
import type { Command } from 'commander';
import { writeReport } from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { JobProgress } from '../job-progress.js';
import { parseNumber } from '../option-values.js';
import { printResult } from '../output.js';
import { stopOnInterrupt } from '../stop-signal.js';

interface ReportFlags {
  output: string;
  blocks?: number;
  force?: boolean;
  json?: boolean;
}

export function addReportCommand(program: Command): void {
  program
    .command('report')
    .description('write figures, curve and answers of a run as one HTML page, and its answers as CSV')
    .argument('<run>', "the run's name, the beginning of it, or 'last'")
    .requiredOption('-o, --output <file>', 'HTML file to write; the CSV file lies beside it')
    .option('-b, --blocks <count>', 'number of skipped blocks (default: as the run chose)', parseNumber)
    .option('--force', 'replace a file that is no report, too')
    .option('--json', 'print the result as JSON')
    .action(async (id: string, { output, blocks, force, json }: ReportFlags) => {
      const progress = new JobProgress();
      const context = commandContext({ signal: stopOnInterrupt(), on: (event) => progress.show(event) });
      const run = context.store.open(id).id;
      const written = await writeReport({ run, blocks, file: output, overwrite: force }, context).finally(
        () => progress.end(),
      );
      await context.kept.release();
      printResult(json, written, () =>
        [
          `The report is in ${written.file}`,
          ...(written.csv === undefined ? [] : [`its answers in ${written.csv}`]),
        ].join(',\n'),
      );
    });
}
