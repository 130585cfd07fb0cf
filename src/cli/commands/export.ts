/** `hopscotch export`: writes a point of a run's curve, without any new training. */
import { Option, type Command } from 'commander';
import { readCheckpoint, chosenBlocks } from '../../engine/runs/checkpoint.js';
import { restoreScales } from '../../engine/decoder/scales.js';
import { UserError } from '../../schema/errors.js';
import { openSourceModel } from '../../engine/jobs/parts/source-model.js';
import { prepareTask } from '../../engine/jobs/parts/task.js';
import { formatBytes } from '../../engine/evaluate/figures.js';
import { readReport } from '../../engine/runs/report.js';
import type { Run } from '../../engine/runs/run-store.js';
import { exportPoint } from '../../engine/jobs/parts/write-point.js';
import { sessionOptions } from '../../engine/jobs/parts/settings.js';
import { runFingerprint } from '../../engine/jobs/slim.js';
import { cacheFolder, runStore } from '../folders.js';
import { blockList, count } from '../job-progress.js';
import { parseCount } from '../option-values.js';

interface ExportFlags {
  blocks?: number;
  mode?: 'folded' | 'explicit';
  json?: boolean;
}

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description("write a point of a run's curve as a model folder, without new training")
    .argument('<run>', "the run's name, the beginning of it, or 'last'")
    .argument('<folder>', 'folder to write; must not exist yet')
    .option('-b, --blocks <count>', 'number of skipped blocks (default: as the run chose)', parseCount)
    .addOption(
      new Option('--mode <mode>', 'scales folded into the weights, or explicit').choices([
        'folded',
        'explicit',
      ]),
    )
    .option('--json', 'print the result as JSON')
    .action(async (id: string, folder: string, flags: ExportFlags) => {
      const run = runStore().open(id);
      const result = await exportRun(run, folder, flags);
      const { folder: written, originalBytes, slimmedBytes, verification, skipped } = result;
      process.stdout.write(
        flags.json
          ? `${JSON.stringify(result, undefined, 2)}\n`
          : `${count(skipped.length, 'block')} skipped (${blockList(skipped)}), ${formatBytes(slimmedBytes)} instead of ${formatBytes(originalBytes)}.\n` +
              `Checked against the trained model: logits differ by ${verification.largestDifference.toExponential(1)} at the most.\n` +
              `The slimmed model is in ${written}\n`,
      );
    });
}

async function exportRun(run: Run, folder: string, flags: ExportFlags) {
  const store = runStore();
  const report = readReport(store.reportFile(run));
  const checkpoint = readCheckpoint(store.checkpointFile(run));
  const trainedPoints = Object.entries(checkpoint.training).flatMap(([number, { finished }]) =>
    finished ? [number] : [],
  );
  const blocks = flags.blocks ?? report.chosenPoint;
  if (blocks === undefined) {
    throw new UserError(
      `The run ${run.id} has not settled on a point yet; say with --blocks which one to write (${trainedPoints.join(', ') || 'none is trained'}), or let it go on (slim --resume).`,
    );
  }
  const training = checkpoint.training[String(blocks)];
  const skipped = chosenBlocks(checkpoint).slice(0, blocks);
  if (!training?.finished || skipped.length < blocks) {
    throw new UserError(
      `The run ${run.id} has no trained scales for ${count(blocks, 'skipped block')}; it has them for ${trainedPoints.join(', ') || 'none'}.`,
    );
  }
  const settings = { ...run.settings, ...(flags.mode ? { exportMode: flags.mode } : {}) };
  const model = await openSourceModel(settings.model, settings.modelFile, settings.memory);
  const task = await prepareTask(model, settings, { cacheFolder, session: await sessionOptions(settings) });
  if (checkpoint.fingerprint !== runFingerprint(model, task, run.settings)) {
    throw new UserError(
      'The model or the dataset has changed since the run; its scales do not fit any more. Start a new run.',
    );
  }
  const trained = { skipped, scales: restoreScales(training.best.scales) };
  return { ...(await exportPoint(model, task, trained, report, settings, folder)), skipped };
}
