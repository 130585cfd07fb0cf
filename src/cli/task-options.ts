/** Options of commands that read a task, and the settings that options add up to. */
import { Option, type Command } from 'commander';
import {
  checkedSettings,
  defaultSettings,
  defaultTrainings,
  plannedKind,
  responses,
  textUnit,
  trainingChoices,
  UserError,
  type JobSettings,
} from '../engine/index.js';
import { parseBytes, parseCount, parseNumber, parseRange, providerOption } from './option-values.js';

/** Values of options by their names, as commander gives them. */
export type Flags = Readonly<Record<string, unknown>>;

/** Columns, whose answers, and which rows of the file. */
export function addRowOptions(command: Command): Command {
  return command
    .option(
      '--columns <mapping>',
      "what the columns mean: 'prompt=question,response=answer', 'messages=chat', 'text=story'",
    )
    .addOption(
      new Option(
        '--text-unit <unit>',
        "what a row of a plain text file is; with 'line' and --columns prompt=text each line is a prompt",
      ).choices(textUnit.options),
    )
    .addOption(
      new Option('--responses <whose>', 'whose answers are the right ones').choices(responses.options),
    )
    .option('--heldout-tokens <count>', 'as many rows are held out as these tokens allow', parseCount)
    .option('--heldout-rows <count>', 'held-out rows instead of tokens, at the most', parseCount)
    .option(
      '--calibration-range <first..last>',
      'these rows of the file, counted from 0, are calibrated on, instead of drawn ones',
      parseRange,
    )
    .option(
      '--heldout-range <first..last>',
      'these rows of the file, counted from 0, are held out',
      parseRange,
    )
    .option('--max-tokens <count>', 'longest row, prompt and response together', parseCount)
    .option('--answer-rows <count>', 'held-out prompts to answer; 0 for none', parseNumber)
    .option('--seed <number>', 'seed of everything drawn by lot', parseNumber);
}

/** Where and how a model is run. */
export function addRunningOptions(command: Command): Command {
  return command
    .option('--model-file <file>', 'which ONNX file of the folder, if it holds several')
    .addOption(providerOption())
    .option('--threads <count>', 'threads of onnxruntime', parseCount)
    .option(
      '--memory <size>',
      "memory that may be taken, such as '2GB': larger models are run in segments of their layers (default: no limit)",
      parseBytes,
    )
    .option('--speed-rounds <count>', 'rounds of the speed measurement; 0 for none', parseNumber);
}

const TRAINING_FLAGS = Object.keys(trainingChoices.entries).filter((name) => name !== 'batchRows');

/** @throws UserError if the flags do not make sense, alone or together */
export function settingsFrom(model: string, dataset: string, flags: Flags): JobSettings {
  const { budget, maxDrop, trainingBatchRows, precision, vocabulary, neurons, lastToken, ...others } = flags;
  const { targetSize: _t, targetSpeed: _s, cuts: _c, ...rest } = others;
  if (budget !== undefined && maxDrop !== undefined) {
    throw new UserError('Give either --budget or --max-drop, not both.');
  }
  if ((rest.calibrationRange === undefined) !== (rest.heldoutRange === undefined)) {
    throw new UserError('Give both --calibration-range and --heldout-range, or neither.');
  }
  const training = Object.fromEntries(TRAINING_FLAGS.map((name) => [name, rest[name]]));
  return checkedSettings({
    ...rest,
    model,
    dataset,
    budget:
      maxDrop === undefined
        ? budget === undefined
          ? undefined
          : { kind: 'blocks', blocks: budget }
        : { kind: 'quality', largestDrop: maxDrop },
    cuts: {
      vocabulary: kept(vocabulary),
      neurons: neurons || undefined,
      precision: kept(precision),
      lastToken,
    },
    aim: aimFrom(flags),
    training: { ...training, batchRows: trainingBatchRows },
  });
}

/** @throws UserError if kinds of cuts are named without an aim, or several aims */
function aimFrom({ targetSize, targetSpeed, maxDrop, budget, cuts: kinds }: Flags): unknown {
  const targets = [targetSize, targetSpeed].filter((target) => target !== undefined);
  if (targets.length > 1 || (targets.length > 0 && (maxDrop !== undefined || budget !== undefined))) {
    throw new UserError('Give one of --target-size, --target-speed, --max-drop and --budget.');
  }
  const all = kinds ?? plannedKind.options;
  if (targetSize !== undefined) return { goal: { kind: 'size', bytes: targetSize }, cuts: all };
  if (targetSpeed !== undefined) return { goal: { kind: 'speed', times: targetSpeed }, cuts: all };
  if (kinds === undefined) return undefined;
  if (maxDrop === undefined) {
    throw new UserError(
      '--cuts names what may be combined; say for what with --target-size, --target-speed or --max-drop.',
    );
  }
  return { goal: { kind: 'quality', largestDrop: maxDrop }, cuts: kinds };
}

/** 'keep' is the absence of a cut. */
function kept(value: unknown): unknown {
  return value === 'keep' ? undefined : value;
}

/** Says in the help of each option what holds without it. */
export function describeDefaults(command: Command): void {
  const settings = defaultSettings();
  const trainings = defaultTrainings();
  const training: Flags = trainings[settings.scales];
  const scalarTraining: Flags = trainings.scalar;
  const defaults: Flags = { ...training, ...settings };
  for (const option of command.options) {
    const name = option.attributeName();
    let value = defaults[name];
    if (name in training && training[name] !== scalarTraining[name]) {
      value = `${String(value)}, for scalar scales ${String(scalarTraining[name])}`;
    }
    if (typeof value === 'string' || typeof value === 'number') option.description += ` (default: ${value})`;
  }
}
