/** `hopscotch slim`: the whole job, or the rest of one that was stopped. */
import { Option, type Command } from 'commander';
import {
  CancelledError,
  exportMode,
  granularity,
  hasProgress,
  plannedKind,
  precision,
  ProviderFailure,
  SELECTION_STRATEGIES,
  skippedKind,
  slim,
  UserError,
  type JobSettings,
  type Run,
  type SlimResult,
} from '../../engine/index.js';
import { commandContext, runStore } from '../folders.js';
import { JobProgress } from '../job-progress.js';
import {
  parseBytes,
  parseCount,
  parseDrop,
  parseKinds,
  parseNumber,
  parseTimes,
  parseWhole,
} from '../option-values.js';
import { printResult } from '../output.js';
import { chosenPoint, memoryText, pointText, taskText } from '../report-text.js';
import { stopOnInterrupt, tellRun } from '../stop-signal.js';
import { stoppedText } from '../supervisor.js';
import {
  addRowOptions,
  addRunningOptions,
  describeDefaults,
  settingsFrom,
  type Flags,
} from '../task-options.js';

interface SlimFlags extends Flags {
  resume?: string | true;
  json?: boolean;
}

/** What may be changed when a run is resumed: where it runs and where the result goes. */
const CHANGED_ON_RESUME = ['output', 'threads', 'memory', 'provider', 'exportMode'] as const;

export function addSlimCommand(program: Command): void {
  const command = program
    .command('slim')
    .description('find the blocks that a task does not need, train the scales, export the slimmed model')
    .argument('[model]', 'model folder or ONNX file')
    .argument('[dataset]', 'task dataset: JSONL, JSON, CSV, Parquet or plain text')
    .option('-o, --output <folder>', 'folder to write the slimmed model to (default: none is written)')
    .optionsGroup('What to skip')
    .option(
      '-b, --budget <blocks>',
      'number of blocks to skip, 0 where the model is only cut in other ways (default: 4)',
      parseWhole,
    )
    .option('--max-drop <percent>', "instead: the largest loss of held-out quality, such as '2%'", parseDrop)
    .addOption(
      new Option('--kind <kind>', 'which kind of blocks may be skipped').choices(skippedKind.options),
    )
    .addOption(
      new Option('--strategy <name>', 'how blocks are chosen').choices(
        SELECTION_STRATEGIES.map(({ name }) => name),
      ),
    )
    .optionsGroup('What else to make smaller')
    .addOption(
      new Option('--precision <name>', 'weights of fewer bits').choices(['keep', ...precision.options]),
    )
    .option(
      '--vocabulary <scripts>',
      "drop tokens: 'task' keeps the scripts of the task's rows, 'latin,cyrillic' those named, 'task:32000' so many tokens",
    )
    .option('--neurons <share>', "remove this share of the MLPs' neurons, such as '20%'", parseDrop)
    .option('--target-size <size>', "one aim instead: at most this size, such as '100MB'", parseBytes)
    .option(
      '--target-speed <times>',
      "one aim instead: new tokens at least this many times as fast on this machine, such as '1.5x'",
      parseTimes,
    )
    .option(
      '--cuts <kinds>',
      `kinds of cuts that --target-size, --target-speed or --max-drop may combine, some of ${plannedKind.options.join(',')}`,
      parseKinds,
    )
    .option('--last-token', 'logits of the last position alone: for chat, not for tools that score texts')
    .optionsGroup('Data');
  addRowOptions(command)
    .option(
      '--calibration-tokens <count>',
      'as many rows are calibrated on as these tokens allow',
      parseCount,
    )
    .option('--calibration-rows <count>', 'rows to calibrate on instead of tokens, at the most', parseCount)
    .addOption(new Option('--overlong <how>', 'what to do with longer rows').choices(['cut', 'drop']))
    .option('--max-new-tokens <count>', "longest answer of the model's own", parseCount);
  addTrainingOptions(command.optionsGroup('Training'));
  addRunningOptions(command.optionsGroup('Running'))
    .addOption(
      new Option('--export-mode <mode>', 'scales folded into the weights, or explicit').choices(
        exportMode.options,
      ),
    )
    .option('--resume [run]', 'go on with a stopped run: its name, or nothing for the last one')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Selection strategies:
${SELECTION_STRATEGIES.map(({ name, description }) => `  ${name.padEnd(16)} ${description}`).join('\n')}

Examples:
  hopscotch slim ./SmolLM2-135M questions.jsonl --budget 4 --output ./slimmed
  hopscotch slim ./model chats.parquet --columns messages=chat --max-drop 2% -o ./slimmed
  hopscotch slim --resume`,
    )
    .action(async (model: string | undefined, dataset: string | undefined, flags: SlimFlags) => {
      const { resume, json, ...rest } = flags;
      const isNew = resume === undefined;
      const run = isNew ? newRun(model, dataset, rest) : resumedRun(resume, rest);
      await runJob(run, isNew, json);
    });
  describeDefaults(command);
}

function addTrainingOptions(command: Command): void {
  command
    .addOption(new Option('--scales <granularity>', 'how fine the scales are').choices(granularity.options))
    .option('--epochs <count>', 'epochs of the final training', parseCount)
    .option(
      '--learning-rate <rate>',
      'learning rate of the final training; the default for finer scales is that of a width of 576',
      parseNumber,
    )
    .addOption(new Option('--schedule <kind>', 'course of the learning rate').choices(['constant', 'linear']))
    .option('--beta2 <decay>', "decay of Adam's second moments", parseNumber)
    .option(
      '--restarts <count>',
      'how often training may begin again with half the rate if its first epoch did harm',
      parseNumber,
    )
    .option('--pull <strength>', 'how strongly scales are pulled towards 1', parseNumber)
    .option(
      '--distillation <weight>',
      "how strongly the original's last hidden states are matched",
      parseNumber,
    )
    .option('--selection-learning-rate <rate>', 'learning rate while candidates are tried', parseNumber)
    .addOption(
      new Option('--train-points <which>', 'points of the curve that get trained scales').choices([
        'all',
        'last',
      ]),
    )
    .option('--batch-rows <count>', 'rows of a batch while candidates are tried', parseCount)
    .option(
      '--training-batch-rows <count>',
      'rows of a batch of the final training (default: the same, for finer scales half of it)',
      parseCount,
    )
    .addOption(
      new Option('--order <kind>', 'order of the rows in batches').choices(['file', 'length-buckets']),
    );
}

function newRun(model: string | undefined, dataset: string | undefined, flags: Flags): Run {
  if (model === undefined || dataset === undefined) {
    throw new UserError("Say which model and which dataset: 'hopscotch slim MODEL DATASET'.");
  }
  return runStore().create(settingsFrom(model, dataset, flags));
}

function resumedRun(resume: string | true, flags: Flags): Run {
  const run = runStore().open(resume === true ? 'last' : resume);
  const changed: Partial<JobSettings> = Object.fromEntries(
    CHANGED_ON_RESUME.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  );
  runStore().update(run, { settings: { ...run.settings, ...changed } });
  return run;
}

async function runJob(run: Run, isNew: boolean, asJson: boolean | undefined): Promise<void> {
  const progress = new JobProgress();
  const context = commandContext({
    signal: stopOnInterrupt(),
    on: (event) => progress.show(event),
  });
  tellRun(run.id);
  try {
    const result = await slim({ run }, context);
    progress.end();
    printResult(asJson, result, () => resultText(result));
  } catch (error) {
    progress.end();
    // A mistyped path, for instance: nothing was computed that a resumed run could use.
    const nothingKept = isNew && error instanceof UserError && !hasProgress(run, context.store);
    if (nothingKept && !(error instanceof ProviderFailure)) context.store.delete(run);
    if (error instanceof ProviderFailure) {
      process.stderr.write(`'hopscotch slim --resume ${run.id}' goes on on the CPU.\n`);
    }
    if (error instanceof CancelledError) {
      process.stderr.write(`${stoppedText(run.id)}\n`);
    }
    throw error;
  }
}

function resultText({ run, report }: SlimResult): string {
  const lines = ['', pointText(report, chosenPoint(report)!), '', taskText(report)];
  lines.push(...memoryText(report));
  if (report.exported?.modeReason !== undefined) lines.push(report.exported.modeReason);
  if (report.exported?.leftOut !== undefined) lines.push(report.exported.leftOut);
  if (report.exported) lines.push(`The slimmed model is in ${report.exported.folder}`);
  lines.push(
    `The run is '${run.id}'; 'hopscotch export ${run.id} FOLDER --blocks K' writes another point of its curve.`,
  );
  return lines.join('\n');
}
