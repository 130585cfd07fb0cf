/** `hopscotch evaluate`: how well a model does a task, alone or beside the model it was made from. */
import { Option, type Command } from 'commander';
import { openForwardModel } from '../../engine/loss/forward-model.js';
import { describeDecoder } from '../../engine/decoder/describe.js';
import { compareAnswers, type AnswerComparison } from '../../engine/evaluate/compare-answers.js';
import { heldoutQuality, type HeldoutQuality } from '../../engine/evaluate/heldout-quality.js';
import { measureSpeed, type SpeedFigures } from '../../engine/evaluate/speed/measure-speed.js';
import { Generator } from '../../engine/generate/generator.js';
import { MemoryPlanner, speedNeedsWhole } from '../../engine/jobs/parts/memory-plan.js';
import { externalFiles } from '../../engine/onnx/file/model-file.js';
import { openSourceModel, type SourceModel } from '../../engine/jobs/parts/source-model.js';
import { prepareTask, type PreparedTask } from '../../engine/jobs/parts/task.js';
import { answerFigures, qualityFigures, resourceFigures } from '../../engine/evaluate/figures.js';
import { taskBatches } from '../../engine/jobs/parts/batches.js';
import { withSession, type SlimSettings } from '../../engine/jobs/parts/settings.js';
import type { SessionOptions } from '../../engine/runtime/session.js';
import { cacheFolder } from '../folders.js';
import { count } from '../job-progress.js';
import { parseBytes, parseCount, parseNumber, parseRange, providerOption } from '../option-values.js';
import { stopOnInterrupt } from '../stop-signal.js';
import { formatTable } from '../table.js';
import { settingsFrom } from './slim.js';
import path from 'node:path';
import { statSync } from 'node:fs';

interface EvaluateFlags {
  against?: string;
  json?: boolean;
  [name: string]: unknown;
}

interface Evaluation {
  rows: number;
  original: HeldoutQuality;
  slimmed: HeldoutQuality | undefined;
  answers: AnswerComparison | undefined;
  speed: { original: SpeedFigures; slimmed: SpeedFigures } | undefined;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description("measure a model on a task's held-out rows, with 95 % intervals")
    .argument('<model>', 'model folder or ONNX file; the original if --against is given')
    .argument('<dataset>', 'task dataset')
    .option('--against <model>', 'a slimmed model to measure beside it')
    .option('--model-file <file>', 'which ONNX file of the folder, if it holds several')
    .option('--columns <mapping>', 'what the columns mean, as for slim')
    .addOption(new Option('--responses <whose>', 'whose answers are the right ones').choices(['own', 'file']))
    .option('--heldout-rows <count>', 'rows, at the most', parseCount)
    .option('--calibration-range <first..last>', 'the rows that were calibrated on', parseRange)
    .option('--heldout-range <first..last>', 'these rows of the file, counted from 0', parseRange)
    .option('--max-tokens <count>', 'longest row', parseCount)
    .option('--answer-rows <count>', 'prompts to answer; 0 for none', parseNumber)
    .option('--speed-rounds <count>', 'rounds of the speed measurement; 0 for none', parseNumber)
    .option('--seed <number>', 'seed of the split', parseNumber)
    .addOption(providerOption())
    .option('--threads <count>', 'threads of onnxruntime', parseCount)
    .option('--memory <size>', 'memory that may be taken, as for slim', parseBytes)
    .option('--json', 'print the result as JSON')
    .action(async (location: string, dataset: string, flags: EvaluateFlags) => {
      const { against, ...rest } = flags;
      const settings = settingsFrom(location, dataset, rest);
      const { modelFile, memory } = settings;
      const model = await openSourceModel(location, modelFile, memory);
      const other = against === undefined ? undefined : await openSourceModel(against, undefined, memory);
      const signal = stopOnInterrupt();
      const result = await withSession(
        settings,
        (session) => evaluate(model, other, settings, session, signal),
        (reason) => process.stderr.write(`${reason}\n`),
      );
      process.stdout.write(
        flags.json
          ? `${JSON.stringify(result, undefined, 2)}\n`
          : `${evaluationText(model, other, result)}\n`,
      );
    });
}

async function evaluate(
  model: SourceModel,
  other: SourceModel | undefined,
  settings: SlimSettings,
  session: SessionOptions,
  signal: AbortSignal,
): Promise<Evaluation> {
  const memory = new MemoryPlanner(settings.memory, session);
  const planGeneration = (prompts: readonly (readonly number[])[]) =>
    memory.forGeneration(model.decoder, prompts, settings.maxNewTokens);
  const task = await prepareTask(model, settings, { cacheFolder, session, planGeneration, signal });
  const { heldout } = taskBatches(model, task, settings);
  // One plan for both: where layers are loaded in turn, they are those of one model at a time.
  const passes = memory.forPasses(model.decoder);
  const open = ({ decoder }: SourceModel) =>
    openForwardModel(decoder, { skipped: [], granularity: 'scalar', session: passes });
  const original = { model: await open(model), scales: new Map() };
  const quality = await heldoutQuality(original, heldout, { signal });
  let otherQuality: HeldoutQuality | undefined;
  if (other) {
    const forward = await open(other);
    // Each model has its own cache inputs, so each gets its own batches.
    const own = taskBatches(other, task, settings).heldout;
    otherQuality = await heldoutQuality({ model: forward, scales: new Map() }, own, {
      original,
      originalBatches: heldout,
      signal,
    });
    await forward.release();
  }
  await original.model.release();
  return {
    rows: quality.rows,
    original: quality,
    slimmed: otherQuality,
    answers: await answersOf(model, other ?? model, task, settings, memory, signal),
    speed: other && (await speedOf(model, other, task, settings, memory, session, signal)),
  };
}

async function answersOf(
  model: SourceModel,
  other: SourceModel,
  task: PreparedTask,
  settings: SlimSettings,
  memory: MemoryPlanner,
  signal: AbortSignal,
): Promise<AnswerComparison | undefined> {
  const prompts = task.prompts.slice(0, settings.answerRows);
  if (prompts.length === 0) return undefined;
  const { session, batchRows } = await memory.forGeneration(
    model.decoder,
    prompts.map(({ ids }) => ids),
    settings.maxNewTokens,
  );
  const open = ({ decoder }: SourceModel) => Generator.open(decoder, session, batchRows);
  const generators = [await open(model), await open(other)] as const;
  try {
    return await compareAnswers(
      ...generators,
      prompts,
      { maxNewTokens: settings.maxNewTokens, stopTokens: task.stopTokens, signal },
      (tokens) => task.tokenizer.decode(tokens, { skipSpecialTokens: true }),
    );
  } finally {
    for (const generator of generators) await generator.release();
  }
}

async function speedOf(
  model: SourceModel,
  other: SourceModel,
  task: PreparedTask,
  settings: SlimSettings,
  memory: MemoryPlanner,
  session: SessionOptions,
  signal: AbortSignal,
) {
  if (settings.speedRounds === 0) return undefined;
  if (!memory.fitsWhole(model.decoder)) {
    process.stderr.write(`${speedNeedsWhole(settings.memory!)}\n`);
    return undefined;
  }
  const measured = await measureSpeed([model.source.modelPath, other.source.modelPath], {
    prompts: task.heldout.slice(0, 8).map((row) => row.ids.slice(0, Math.max(1, row.responseStart))),
    newTokens: 32,
    rounds: settings.speedRounds,
    session,
    signal,
  });
  return measured && { original: measured[0]!, slimmed: measured[1]! };
}

function evaluationText(model: SourceModel, other: SourceModel | undefined, result: Evaluation): string {
  const header = ['', model.name, ...(other ? [other.name] : [])];
  const figures = [
    ...qualityFigures(result.original, result.slimmed ?? result.original),
    ...(result.answers ? answerFigures(result.answers) : []),
    ...resourceFigures({
      speed: result.speed,
      sizes: other && { original: sizesOf(model), slimmed: sizesOf(other) },
    }),
  ].map((row) => (other ? row : row.slice(0, 2)));
  return [
    `Held-out figures on ${count(result.rows, 'row')}, with 95 % intervals:`,
    '',
    formatTable([header, ...figures], { indent: '  ' }),
  ].join('\n');
}

function sizesOf({ source, decoder }: SourceModel) {
  const folder = path.dirname(source.modelPath);
  const files = [
    source.modelPath,
    ...externalFiles(decoder.model).map((location) => path.join(folder, location)),
  ];
  return {
    modelBytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
    cacheBytesPerToken: describeDecoder(decoder).cacheBytesPerToken,
  };
}
