/** `hopscotch evaluate`: how well a model does a task, alone or beside the model it was made from. */
import type { Command } from 'commander';
import {
  answerFigures,
  evaluate,
  qualityFigures,
  resourceFigures,
  type Evaluation,
} from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { printResult } from '../output.js';
import { stopOnInterrupt } from '../stop-signal.js';
import { formatTable } from '../table.js';
import {
  addRowOptions,
  addRunningOptions,
  describeDefaults,
  settingsFrom,
  type Flags,
} from '../task-options.js';
import { count } from '../words.js';

interface EvaluateFlags extends Flags {
  against?: string;
  json?: boolean;
}

export function addEvaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .description("measure a model on a task's held-out rows, with 95 % intervals")
    .argument('<model>', 'model folder or ONNX file; the original if --against is given')
    .argument('<dataset>', 'task dataset')
    .option('--against <model>', 'a slimmed model to measure beside it');
  addRunningOptions(addRowOptions(command))
    .option('--json', 'print the result as JSON')
    .action(async (location: string, dataset: string, { against, json, ...flags }: EvaluateFlags) => {
      const context = commandContext({
        signal: stopOnInterrupt(),
        on: (event) => {
          if (event.type === 'provider') process.stderr.write(`${event.reason}\n`);
        },
      });
      const result = await evaluate(
        {
          settings: settingsFrom(location, dataset, flags),
          against: against === undefined ? undefined : { model: against },
        },
        context,
      );
      if (result.note !== undefined) process.stderr.write(`${result.note}\n`);
      printResult(json, result, () => evaluationText(result));
    });
  describeDefaults(command);
}

/** The figures of one model, or of two beside each other. */
export function evaluationText(result: Evaluation): string {
  const { name, againstName, original, slimmed, answers } = result;
  const figures = [
    ...qualityFigures(original, slimmed ?? original),
    ...(answers ? answerFigures(answers) : []),
    ...resourceFigures(result),
  ].map((row) => (slimmed ? row : row.slice(0, 2)));
  return [
    `Held-out figures on ${count(result.rows, 'row')}, with 95 % intervals:`,
    '',
    formatTable([['', name, ...(againstName === undefined ? [] : [againstName])], ...figures], {
      indent: '  ',
    }),
  ].join('\n');
}
