/** A point of a run's curve as a report to keep and to show: one HTML page, and its answers as CSV beside it. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../schema/errors.js';
import { measuredPoint, type CurvePoint, type RunReport } from '../../schema/report.js';
import type { Run, RunPoint } from '../../schema/runs.js';
import { pointFigures, resourceFigures } from '../evaluate/figures.js';
import { answersCsv } from '../report/answers-csv.js';
import { curveSvg } from '../report/curve-svg.js';
import { heldoutAnswers, type ReportAnswers } from '../report/report-answers.js';
import { factTable, figureTable, REPORT_MARK, reportPage } from '../report/report-page.js';
import { stripSvg } from '../report/strip-svg.js';
import { writeFileAtomically } from '../runs/atomic-file.js';
import { readKept } from '../runs/kept-json.js';
import { readReport } from '../runs/report.js';
import { compareHeldout } from './compare-heldout.js';
import type { JobContext } from './context.js';

export interface ReportRequest extends Omit<RunPoint, 'blocks'> {
  /** Absent: the point that the run settled on. */
  blocks?: number;
  /** The HTML file; the CSV file has the same name otherwise. */
  file: string;
  /** Whether a file that is no report may be replaced, too. */
  overwrite?: boolean;
}

export interface WrittenReport {
  file: string;
  /** Absent where there are no answers. */
  csv?: string;
}

/**
 * Answers that the run has not kept are generated first; where its dataset or model is gone, the report says so.
 * @throws UserError if there is no such run or point, or another file is in the way; CancelledError if stopped
 */
export async function writeReport(request: ReportRequest, context: JobContext): Promise<WrittenReport> {
  const { store } = context;
  const run = store.openExactly(request.run);
  const report = readReport(store.reportFile(run));
  const file = reportFile(request);
  const point = pointOf(run, report, request.blocks);
  const blocks = point.skipped.length;
  const found = await answersOf({ run: run.id, blocks }, context);
  const measured = readKept(store.measuredFile(run, blocks), measuredPoint);
  const figures = blocks === report.chosenPoint || !measured ? [] : resourceFigures(measured);
  const page = reportPage({
    title: `${run.modelName}, slimmed for ${run.datasetName}`,
    lead: leadOf(report, point),
    parts: [
      {
        title: 'Figures on held-out rows',
        content: figureTable(
          ['', 'original', 'without scales', 'slimmed'],
          [
            ...pointFigures(report, point),
            ...figures.map(([name, before, after]) => [name, before, '', after]),
          ],
          `${point.withoutScales.rows} rows, with 95 % intervals`,
        ),
      },
      { title: 'Quality by number of skipped blocks', content: curveSvg(report, blocks) },
      { title: 'Which blocks are skipped', content: stripSvg(report.layers, point.skipped) },
      { title: 'Settings', content: factTable(settingsOf(run, report)) },
    ],
    ...('rows' in found ? { answers: found } : { answers: undefined, noAnswers: found.why }),
  });
  writeFileAtomically(file, page);
  const csv = 'rows' in found ? file.replace(/\.html?$/i, '.csv') : undefined;
  if (csv !== undefined && 'rows' in found) writeFileAtomically(csv, answersCsv(found));
  linkFrom(path.join(path.dirname(file), 'README.md'), file, csv);
  return { file, csv };
}

/** @throws UserError if the name will not do, or something else has it */
function reportFile({ file, overwrite = false }: ReportRequest): string {
  const target = path.resolve(file);
  if (!/\.html?$/i.test(target))
    throw new UserError(`A report is an HTML page; let '${file}' end in '.html'.`);
  if (!existsSync(path.dirname(target)))
    throw new UserError(`There is no folder ${path.dirname(target)}; make it first, or choose another one.`);
  if (!overwrite && existsSync(target) && !readFileSync(target, 'utf8').includes(REPORT_MARK))
    throw new UserError(`${target} is there already and is no report; choose another name.`);
  return target;
}

function pointOf(run: Run, report: RunReport, wanted = report.chosenPoint): CurvePoint {
  const point = report.points.find(({ skipped }) => skipped.length === wanted);
  if (point) return point;
  const measured = report.points.map(({ skipped }) => skipped.length).join(', ') || 'none';
  throw new UserError(
    wanted === undefined
      ? `The run ${run.id} has not settled on a point yet; say which one (skipped blocks of those measured: ${measured}).`
      : `The run ${run.id} has no point of ${wanted} skipped blocks; it has ${measured}.`,
    { inCommands: '--blocks NUMBER' },
  );
}

async function answersOf(point: RunPoint, context: JobContext): Promise<ReportAnswers | { why: string }> {
  try {
    const { rows } = await compareHeldout(point, context);
    if (rows.length === 0) return { why: 'This task is plain text, which has no questions to answer.' };
    return heldoutAnswers(rows, ['original', `${point.blocks} blocks skipped`]);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { why: `There are no answers: ${error.message}` };
  }
}

function leadOf({ answers, layers, chosenPoint }: RunReport, { skipped }: CurvePoint): string[] {
  const blocks = `${skipped.length} ${skipped.length === 1 ? 'block' : 'blocks'} of ${layers} layers skipped: ${skipped.join(', ')}.`;
  if (!answers || skipped.length !== chosenPoint) return [blocks];
  const same = Math.round(answers.same.value * answers.prompts);
  return [`Answers match the original on ${same} of ${answers.prompts} held-out prompts.`, blocks];
}

/** Names and no paths: a report is for showing around. */
function settingsOf(
  { modelName, datasetName, settings, created }: Run,
  { task }: RunReport,
): [string, string][] {
  const { kind, strategy, scales, responses, maxTokens, seed, provider, budget } = settings;
  return [
    ['Model', modelName],
    ['Task', datasetName],
    ['Made', created.slice(0, 16).replace('T', ' ')],
    ['Blocks that may be skipped', kind],
    [
      'Budget',
      budget.kind === 'blocks'
        ? `${budget.blocks} blocks`
        : `at most ${(budget.largestDrop * 100).toFixed(1)} % lost`,
    ],
    ['Selection', strategy],
    ['Scales', scales],
    ['Answers learnt from', responses === 'own' ? "the model's own" : "the file's"],
    ['Rows', `${task.calibrationRows} to calibrate on, ${task.heldoutRows} held out`],
    ['Columns', task.columns],
    ['Longest row', `${maxTokens} tokens`],
    ['Seed', String(seed)],
    ['Execution provider', provider],
  ];
}

/** An exported folder's README says that there is a report beside it; any other README is left alone. */
function linkFrom(readme: string, file: string, csv: string | undefined): void {
  const folder = path.dirname(readme);
  if (!existsSync(readme) || !existsSync(path.join(folder, 'hopscotch.json'))) return;
  const text = readFileSync(readme, 'utf8');
  const link = (target: string) => `[${path.basename(target)}](<${path.basename(target)}>)`;
  const line = `A report with the curve and answers side by side: ${link(file)}${csv === undefined ? '' : `; all answers: ${link(csv)}`}.`;
  if (!text.includes(line)) writeFileAtomically(readme, `${text.trimEnd()}\n\n${line}\n`);
}
