/** `hopscotch runs`: list, show and delete what was calibrated before. */
import type { Command } from 'commander';
import { keptReport, type Run, type RunReport } from '../../engine/index.js';
import { runStore } from '../folders.js';
import { printResult } from '../output.js';
import { chosenPoint, pointText, taskText } from '../report-text.js';
import { formatTable } from '../table.js';
import { blockList, percent } from '../words.js';

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
      printResult(options.json, all, () =>
        all.length === 0
          ? `There are no runs yet in ${runStore().folder}.`
          : formatTable([['run', 'status', 'budget', 'exported to'], ...all.map(runRow)]),
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
      const report = keptReport(store, run);
      printResult(options.json, { run, report }, () => showText(run, report));
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

/** A run's line in the list. */
export function runRow(run: Run): string[] {
  return [run.id, run.status, budgetWords(run), run.exportedTo ?? ''];
}

function budgetWords({ settings: { budget, kind } }: Run): string {
  const words = kind === 'both' ? 'blocks' : `${kind} blocks`;
  return budget.kind === 'blocks'
    ? `${budget.blocks} ${words}`
    : `${words}, at most ${Number((budget.largestDrop * 100).toPrecision(6))} % lost`;
}

/** All that a run has found, as far as it has come. */
export function showText(run: Run, report: RunReport | undefined): string {
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
    percent((withScales ?? withoutScales).answerAccuracy.value),
  ]);
  const point = chosenPoint(report);
  return [
    ...lines,
    '',
    formatTable(
      [
        ['skipped', 'last block', 'loss without scales', 'loss', 'whole responses'],
        ['0', '', '', report.original.loss.value.toFixed(4), percent(report.original.answerAccuracy.value)],
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
  const written = `'hopscotch export ${id} FOLDER --blocks K' writes one that is trained.`;
  if (status === 'impossible') return `The curve ends here; ${written}`;
  const way = status === 'running' ? 'It goes on' : `'hopscotch slim --resume ${id}' goes on from here`;
  return `More points of the curve are to come. ${way}; ${written}`;
}
