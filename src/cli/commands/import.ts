/** `hopscotch import`: a GGUF file or a safetensors folder as ONNX. */
import type { Command } from 'commander';
import { formatBytes, importModel, type ImportResult } from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { JobProgress } from '../job-progress.js';
import { printResult } from '../output.js';
import { stopOnInterrupt } from '../stop-signal.js';

interface ImportFlags {
  output: string;
  json?: boolean;
}

export function addImportCommand(program: Command): void {
  program
    .command('import')
    .description('write a GGUF file or a safetensors folder as an ONNX model')
    .argument('<model>', 'a .gguf file (of a split model any part), or a folder with safetensors files')
    .requiredOption('-o, --output <folder>', 'folder to write; must not exist yet')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Other commands take such models directly: they are imported the first time, and 'hopscotch models' lists them.`,
    )
    .action(async (model: string, { output, json }: ImportFlags) => {
      const progress = new JobProgress();
      const context = commandContext({ signal: stopOnInterrupt(), on: (event) => progress.show(event) });
      const result = await importModel({ model, folder: output }, context).finally(() => progress.end());
      printResult(json, result, () => importText(result));
    });
}

function importText({ folder, family, layers, sourceBytes, bytes }: ImportResult): string {
  return [
    `${family}, ${layers} layers: ${formatBytes(bytes)} of ${formatBytes(sourceBytes)}.`,
    `The model is in ${folder}`,
  ].join('\n');
}
