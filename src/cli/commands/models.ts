/** `hopscotch models`: list and delete what was imported to be opened. */
import type { Command } from 'commander';
import { deleteImported, formatBytes, listImported } from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { printResult } from '../output.js';
import { formatTable } from '../table.js';

export function addModelsCommand(program: Command): void {
  const models = program
    .command('models')
    .description('list and delete models that were imported to be opened');
  models
    .command('list', { isDefault: true })
    .description('all imported models')
    .option('--json', 'print the result as JSON')
    .action(({ json }: { json?: boolean }) => {
      const { folder, models: all } = listImported(undefined, commandContext());
      printResult(json, all, () =>
        all.length === 0
          ? `There are no imported models in ${folder}.`
          : formatTable([
              ['model', 'id', 'size', 'made of'],
              ...all.map(({ name, id, bytes, source }) => [name, id, formatBytes(bytes), source]),
            ]),
      );
    });
  models
    .command('delete')
    .description('delete an imported model; the file that it was made of stays')
    .argument('<model>', "the model's name, its id, or the beginning of that")
    .action((model: string) => {
      const { name, bytes } = deleteImported({ model }, commandContext());
      process.stdout.write(`Deleted ${name} (${formatBytes(bytes)}).\n`);
    });
}
