/** `hopscotch export`: writes a point of a run's curve; trains it first where the run has not. */
import { Option, type Command } from 'commander';
import {
  exportMode,
  exportPoint,
  formatBytes,
  runDetails,
  UserError,
  type ExportResult,
  type JobSettings,
  type RunDetails,
} from '../../engine/index.js';
import { commandContext } from '../folders.js';
import { JobProgress } from '../job-progress.js';
import { parseWhole } from '../option-values.js';
import { printResult } from '../output.js';
import { stopOnInterrupt } from '../stop-signal.js';
import { blockList, count } from '../words.js';

interface ExportFlags {
  blocks?: number;
  mode?: JobSettings['exportMode'];
  json?: boolean;
}

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .description(
      "write a point of a run's curve as a model folder; trains its scales first where the run has not",
    )
    .argument('<run>', "the run's name, the beginning of it, or 'last'")
    .argument('<folder>', 'folder to write; must not exist yet')
    .option('-b, --blocks <count>', 'number of skipped blocks (default: as the run chose)', parseWhole)
    .addOption(
      new Option('--mode <mode>', 'scales folded into the weights, or explicit').choices(exportMode.options),
    )
    .option('--json', 'print the result as JSON')
    .action(async (id: string, folder: string, flags: ExportFlags) => {
      const progress = new JobProgress();
      const context = commandContext({
        signal: stopOnInterrupt(),
        on: (event) => progress.show(event),
      });
      const details = runDetails(context.store, context.store.open(id).id);
      const blocks = flags.blocks ?? settledPoint(details);
      const request = { run: details.summary.id, blocks, folder, mode: flags.mode };
      const exported = await exportPoint(request, context).finally(() => progress.end());
      const skipped = skippedAt(details, blocks);
      printResult(flags.json, { ...exported, skipped }, () => exportText(exported, skipped));
    });
}

function settledPoint({ summary, trainedPoints }: RunDetails): number {
  if (summary.chosenPoint !== undefined) return summary.chosenPoint;
  throw new UserError(
    `The run ${summary.id} has not settled on a point yet; say with --blocks which one to write (${trainedPoints.join(', ') || 'none is trained'}), or let it go on (slim --resume).`,
  );
}

function skippedAt({ findings }: RunDetails, blocks: number) {
  return findings.rounds.flatMap(({ chosen }) => chosen ?? []).slice(0, blocks);
}

function exportText(exported: ExportResult, skipped: ReturnType<typeof skippedAt>): string {
  const { folder, originalBytes, slimmedBytes, verification, modeReason, leftOut } = exported;
  return [
    `${count(skipped.length, 'block')} skipped (${blockList(skipped)}), ${formatBytes(slimmedBytes)} instead of ${formatBytes(originalBytes)}.`,
    checkText(verification),
    ...[modeReason, leftOut].filter((sentence) => sentence !== undefined),
    `The slimmed model is in ${folder}`,
  ].join('\n');
}

function checkText({ largestDifference, divergence, noise }: ExportResult['verification']): string {
  const difference = `Checked against the trained model: logits differ by ${largestDifference.toExponential(1)} at the most`;
  return noise === undefined
    ? `${difference}.`
    : `${difference}, the answers by ${divergence.toExponential(1)} nats a token: within the noise of the model's own numbers (up to ${noise.toExponential(1)}).`;
}
