/** `hopscotch slim`: the whole job, or the rest of one that was stopped. */
import { existsSync } from 'node:fs';
import { Option, type Command } from 'commander';
import * as v from 'valibot';
import { SELECTION_STRATEGIES } from '../../engine/calibrate/select/select-blocks.js';
import { defaultTraining } from '../../engine/calibrate/train/train-scales.js';
import { GRANULARITIES } from '../../engine/decoder/scales.js';
import { CancelledError, ProviderFailure, UserError } from '../../schema/errors.js';
import type { Run } from '../../engine/runs/run-store.js';
import {
  slimSettingsSchema,
  type SlimSettings,
  type SlimSettingsInput,
} from '../../engine/jobs/parts/settings.js';
import { slim, type SlimResult } from '../../engine/jobs/slim.js';
import { cacheFolder, runStore } from '../folders.js';
import { JobProgress } from '../job-progress.js';
import {
  parseBytes,
  parseCount,
  parseDrop,
  parseNumber,
  parseRange,
  providerOption,
} from '../option-values.js';
import { chosenPoint, memoryText, pointText, taskText } from '../report-text.js';
import { stopOnInterrupt } from '../stop-signal.js';

interface SlimFlags {
  budget?: number;
  maxDrop?: number;
  resume?: string | true;
  json?: boolean;
  epochs?: number;
  trainingBatchRows?: number;
  learningRate?: number;
  schedule?: 'constant' | 'linear';
  beta2?: number;
  restarts?: number;
  pull?: number;
  distillation?: number;
  [name: string]: unknown;
}

/** Says in the help of each option what holds without it. */
function describeDefaults(command: Command): void {
  const settings = v.parse(slimSettingsSchema, { model: '', dataset: '' });
  const training: Record<string, unknown> = { ...defaultTraining(settings.scales) };
  const scalarTraining: Record<string, unknown> = { ...defaultTraining('scalar') };
  const defaults: Record<string, unknown> = { ...training, ...settings };
  for (const option of command.options) {
    const name = option.attributeName();
    let value = defaults[name];
    if (name in training && training[name] !== scalarTraining[name]) {
      value = `${String(value)}, for scalar scales ${String(scalarTraining[name])}`;
    }
    if (typeof value === 'string' || typeof value === 'number') option.description += ` (default: ${value})`;
  }
}

export function addSlimCommand(program: Command): void {
  const command = program
    .command('slim')
    .description('find the blocks that a task does not need, train the scales, export the slimmed model')
    .argument('[model]', 'model folder or ONNX file')
    .argument('[dataset]', 'task dataset: JSONL, JSON, CSV, Parquet or plain text')
    .option('-o, --output <folder>', 'folder to write the slimmed model to (default: none is written)')
    .optionsGroup('What to skip')
    .option('-b, --budget <blocks>', 'number of blocks to skip (default: 4)', parseCount)
    .option('--max-drop <percent>', "instead: the largest loss of held-out quality, such as '2%'", parseDrop)
    .addOption(
      new Option('--blocks <kind>', 'which blocks may be skipped').choices(['attention', 'mlp', 'both']),
    )
    .addOption(
      new Option('--strategy <name>', 'how blocks are chosen').choices(
        SELECTION_STRATEGIES.map(({ name }) => name),
      ),
    )
    .optionsGroup('Data')
    .option(
      '--columns <mapping>',
      "what the columns mean: 'prompt=question,response=answer', 'messages=chat', 'text=story'",
    )
    .addOption(new Option('--responses <whose>', 'whose answers to learn from').choices(['own', 'file']))
    .option('--calibration-rows <count>', 'rows to calibrate on, at the most', parseCount)
    .option('--heldout-rows <count>', 'held-out rows, at the most', parseCount)
    .option(
      '--calibration-range <first..last>',
      'these rows of the file, counted from 0, instead of drawn ones',
      parseRange,
    )
    .option('--heldout-range <first..last>', 'these rows of the file, counted from 0', parseRange)
    .option('--max-tokens <count>', 'longest row, prompt and response together', parseCount)
    .addOption(new Option('--overlong <how>', 'what to do with longer rows').choices(['cut', 'drop']))
    .option('--max-new-tokens <count>', "longest answer of the model's own", parseCount)
    .option('--answer-rows <count>', 'held-out prompts that both models answer for the report', parseNumber)
    .optionsGroup('Training')
    .addOption(new Option('--scales <granularity>', 'how fine the scales are').choices(GRANULARITIES))
    .option('--epochs <count>', 'epochs of the final training', parseCount)
    .option('--learning-rate <rate>', 'learning rate of the final training', parseNumber)
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
    )
    .option('--seed <number>', 'seed of everything drawn by lot', parseNumber)
    .optionsGroup('Running')
    .option('--model-file <file>', 'which ONNX file of the folder, if it holds several')
    .addOption(providerOption())
    .option('--threads <count>', 'threads of onnxruntime', parseCount)
    .option(
      '--memory <size>',
      "memory that the job may take, such as '2GB': larger models are run in segments of their layers (default: no limit)",
      parseBytes,
    )
    .option('--speed-rounds <count>', 'rounds of the speed measurement; 0 for none', parseNumber)
    .addOption(
      new Option('--export-mode <mode>', 'scales folded into the weights, or explicit').choices([
        'folded',
        'explicit',
      ]),
    )
    .option('--resume [run]', 'go on with a stopped run: its name, or nothing for the last one')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Selection strategies:
${SELECTION_STRATEGIES.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n')}

Examples:
  hopscotch slim ./SmolLM2-135M questions.jsonl --budget 4 --output ./slimmed
  hopscotch slim ./model chats.parquet --columns messages=chat --max-drop 2% -o ./slimmed
  hopscotch slim --resume`,
    )
    .action(async (model: string | undefined, dataset: string | undefined, flags: SlimFlags) => {
      const run = flags.resume === undefined ? newRun(model, dataset, flags) : resumedRun(flags);
      await runJob(run, flags.json === true);
    });
  describeDefaults(command);
}

function newRun(model: string | undefined, dataset: string | undefined, flags: SlimFlags): Run {
  if (model === undefined || dataset === undefined) {
    throw new UserError("Say which model and which dataset: 'hopscotch slim MODEL DATASET'.");
  }
  return runStore().create(settingsFrom(model, dataset, flags));
}

/** @throws UserError if the flags do not make sense together */
export function settingsFrom(model: string, dataset: string, flags: SlimFlags): SlimSettings {
  const {
    budget,
    maxDrop,
    resume: _resume,
    json: _json,
    epochs,
    trainingBatchRows,
    learningRate,
    schedule,
    beta2,
    restarts,
    pull,
    distillation,
    ...rest
  } = flags;
  if (budget !== undefined && maxDrop !== undefined) {
    throw new UserError('Give either --budget or --max-drop, not both.');
  }
  if ((rest.calibrationRange === undefined) !== (rest.heldoutRange === undefined)) {
    throw new UserError('Give both --calibration-range and --heldout-range, or neither.');
  }
  const input: SlimSettingsInput = {
    ...rest,
    model,
    dataset,
    ...(budget === undefined ? {} : { budget: { kind: 'blocks', blocks: budget } }),
    ...(maxDrop === undefined ? {} : { budget: { kind: 'quality', largestDrop: maxDrop } }),
    training: Object.fromEntries(
      Object.entries({
        epochs,
        batchRows: trainingBatchRows,
        learningRate,
        schedule,
        beta2,
        restarts,
        pull,
        distillation,
      }).filter(([, value]) => value !== undefined),
    ),
  };
  const result = v.safeParse(slimSettingsSchema, input);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new UserError(`The setting ${v.getDotPath(issue) ?? ''} is not valid: ${issue.message}.`);
}

function resumedRun(flags: SlimFlags): Run {
  const run = runStore().open(flags.resume === true ? 'last' : flags.resume!);
  const { output, threads, memory, provider, exportMode } = flags as Partial<SlimSettings>;
  const changed = Object.fromEntries(
    Object.entries({ output, threads, memory, provider, exportMode }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  runStore().update(run, { settings: { ...run.settings, ...changed } });
  return run;
}

async function runJob(run: Run, asJson: boolean): Promise<void> {
  const progress = new JobProgress();
  const store = runStore();
  try {
    const result = await slim(run, {
      store,
      cacheFolder,
      signal: stopOnInterrupt(),
      onEvent: (event) => progress.show(event),
    });
    progress.end();
    process.stdout.write(asJson ? `${JSON.stringify(result, undefined, 2)}\n` : `${resultText(result)}\n`);
  } catch (error) {
    progress.end();
    // A mistyped path, for instance: nothing was computed that a resumed run could use.
    const nothingKept = error instanceof UserError && !existsSync(store.checkpointFile(run));
    if (nothingKept && !(error instanceof ProviderFailure)) store.delete(run);
    if (error instanceof ProviderFailure) {
      process.stderr.write(`'hopscotch slim --resume ${run.id}' goes on on the CPU.\n`);
    }
    if (error instanceof CancelledError) {
      process.stderr.write(
        `Stopped. Nothing is lost: 'hopscotch slim --resume ${run.id}' goes on from here.\n`,
      );
    }
    throw error;
  }
}

function resultText({ run, report }: SlimResult): string {
  const lines = ['', pointText(report, chosenPoint(report)!), '', taskText(report)];
  lines.push(...memoryText(report));
  if (report.exported) lines.push(`The slimmed model is in ${report.exported.folder}`);
  lines.push(
    `The run is '${run.id}'; 'hopscotch export ${run.id} FOLDER --blocks K' writes another point of its curve.`,
  );
  return lines.join('\n');
}
