/** `hopscotch runs`: list, show and delete what was calibrated before. */
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { readReport } from '../../engine/runs/report.js';
import type { Run } from '../../engine/runs/run-store.js';
import { runStore } from '../folders.js';
import { blockList } from '../job-progress.js';
import { chosenPoint, pointText, taskText } from '../report-text.js';
import { formatTable } from '../table.js';

interface JsonFlag {
  json?: boolean;
}

export function addRunsCommand(program: Command): void {
  const runs = program.command('runs').description('list, show and delete runs');
  runs
    .command('list', { isDefault: true })
    .description('all runs, the newest first')
    .option('--json', 'print the result as JSON')
    .action((options: JsonFlag) => {
      const all = runStore().list();
      if (options.json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
      else if (all.length === 0) process.stdout.write(`There are no runs yet in ${runStore().folder}.\n`);
      else
        process.stdout.write(
          `${formatTable([['run', 'status', 'budget', 'exported to'], ...all.map(runRow)])}\n`,
        );
    });
  runs
    .command('show')
    .description("a run's settings and its curve of quality against skipped blocks")
    .argument('<run>', "the run's name, the beginning of it, or 'last'")
    .option('--json', 'print the result as JSON')
    .action((id: string, options: JsonFlag) => {
      const store = runStore();
      const run = store.open(id);
      const report = existsSync(store.reportFile(run)) ? readReport(store.reportFile(run)) : undefined;
      process.stdout.write(
        options.json ? `${JSON.stringify({ run, report }, undefined, 2)}\n` : `${showText(run, report)}\n`,
      );
    });
  runs
    .command('delete')
    .description('delete a run with its checkpoint; exported models stay')
    .argument('<run>', "the run's name or the beginning of it")
    .action((id: string) => {
      const store = runStore();
      const run = store.open(id);
      store.delete(run);
      process.stdout.write(`Deleted ${run.id}.\n`);
    });
}

function runRow(run: Run): string[] {
  return [run.id, run.status, budgetWords(run), run.exportedTo ?? ''];
}

function budgetWords({ settings: { budget, blocks } }: Run): string {
  const kind = blocks === 'both' ? 'blocks' : `${blocks} blocks`;
  return budget.kind === 'blocks'
    ? `${budget.blocks} ${kind}`
    : `${kind}, at most ${budget.largestDrop * 100} % lost`;
}

function showText(run: Run, report: ReturnType<typeof readReport> | undefined): string {
  const lines = [
    `${run.id}: ${run.status}${run.error ? `, ${run.error}` : ''}`,
    `  model ${run.settings.model}`,
    `  task ${run.settings.dataset}`,
    `  ${budgetWords(run)}, ${run.settings.strategy} selection, ${run.settings.scales} scales`,
  ];
  if (!report) return [...lines, '', 'No point of its curve is measured yet.'].join('\n');
  const curve = report.points.map(({ skipped, withScales, withoutScales }) => [
    String(skipped.length),
    blockList(skipped.slice(-1)),
    withoutScales.loss.value.toFixed(4),
    withScales?.loss.value.toFixed(4) ?? '',
    `${((withScales ?? withoutScales).answerAccuracy.value * 100).toFixed(1)} %`,
  ]);
  const point = chosenPoint(report);
  return [
    ...lines,
    '',
    formatTable(
      [
        ['skipped', 'last block', 'loss without scales', 'loss', 'whole responses'],
        [
          '0',
          '',
          '',
          report.original.loss.value.toFixed(4),
          `${(report.original.answerAccuracy.value * 100).toFixed(1)} %`,
        ],
        ...curve,
      ],
      { right: [0, 2, 3, 4], indent: '  ' },
    ),
    '',
    ...(point ? [pointText(report, point), ''] : []),
    ...(report.chosenPoint === undefined ? [unsettledText(run), ''] : []),
    taskText(report),
  ].join('\n');
}

/** What can be done with a run that was stopped on its way. */
function unsettledText({ id, status }: Run): string {
  const way = status === 'running' ? 'It goes on' : `'hopscotch slim --resume ${id}' goes on from here`;
  return `More points of the curve are to come. ${way}; 'hopscotch export ${id} FOLDER --blocks K' writes one that is trained.`;
}
