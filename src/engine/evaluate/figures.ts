import type { Estimate } from '../../schema/values.js';
import { closenessWords } from '../../schema/closeness.js';
import {
  speedVerdict,
  type AnswerFigures,
  type CurvePoint,
  type HeldoutQuality,
  type RunReport,
  type TokenAgreement,
} from '../../schema/report.js';
/** Measured figures in words, before and after: for tables on the terminal, in the app and in exported folders. */

/** [what, original, slimmed]. */
export type FigureRow = readonly [string, string, string];

/** [what, original, slimmed without scales, slimmed]. */
export type PointRow = readonly [string, string, string, string];

export function formatShare({ value, low, high }: Estimate): string {
  const percent = (share: number) => (share * 100).toFixed(1);
  return `${percent(value)} %${interval(low, high, percent)}`;
}

export function formatNumber({ value, low, high }: Estimate, digits = 4): string {
  const rounded = (number: number) => number.toFixed(digits);
  return `${rounded(value)}${interval(Math.max(0, low), high, rounded)}`;
}

/** Nothing where the interval has no end: a single row says nothing about others. (JSON makes null of infinity.) */
function interval(low: number, high: number, format: (end: number) => string): string {
  return Number.isFinite(high) ? ` (${format(low)} to ${format(high)})` : '';
}

/** Figures of one point of the curve beside the original's; answers only for the point they belong to. */
export function reportFigures(report: RunReport, point: CurvePoint): FigureRow[] {
  const rows = qualityFigures(report.original, point.withScales ?? point.withoutScales);
  if (report.answers && point.skipped.length === report.chosenPoint)
    rows.push(...answerFigures(report.answers));
  return rows;
}

/**
 * Figures of one point of the curve: the original's, those without scales (blank for answers and resources, which were
 * not measured so), and the slimmed model's.
 */
export function pointFigures(report: RunReport, point: CurvePoint): PointRow[] {
  const without = new Map(
    qualityFigures(report.original, point.withoutScales).map(([name, , figure]) => [name, figure]),
  );
  const rows = [...reportFigures(report, point)];
  if (point.skipped.length === report.chosenPoint) rows.push(...resourceFigures(report));
  return rows.map(([name, original, slimmed]) => [name, original, without.get(name) ?? '', slimmed]);
}

export function qualityFigures(original: HeldoutQuality, slimmed: HeldoutQuality): FigureRow[] {
  const rows: FigureRow[] = [
    ['loss of a response token', formatNumber(original.loss), formatNumber(slimmed.loss)],
    ['perplexity', formatNumber(original.perplexity, 3), formatNumber(slimmed.perplexity, 3)],
    ['next-token accuracy', formatShare(original.tokenAccuracy), formatShare(slimmed.tokenAccuracy)],
    ['whole response predicted', formatShare(original.answerAccuracy), formatShare(slimmed.answerAccuracy)],
  ];
  if (slimmed.divergence) {
    rows.push(['divergence (KL, nats a token)', '0', formatNumber(slimmed.divergence)]);
    rows.push(['in other words', '', closenessWords(slimmed.divergence.value)]);
  }
  if (slimmed.agreement) rows.push(...agreementFigures(slimmed.agreement));
  return rows;
}

function agreementFigures(agreement: TokenAgreement): FigureRow[] {
  const { sameTopToken, onlyOriginal, onlySlimmed, perplexityRatio } = agreement;
  const { divergence99, divergenceMax } = agreement;
  return [
    ['same top token as the original', '', formatShare(sameTopToken)],
    ['tokens only this one predicts', formatShare(onlyOriginal), formatShare(onlySlimmed)],
    ['perplexity, times the original’s', '', formatNumber(perplexityRatio, 3)],
    ['divergence: 99 % below, largest', '', `${divergence99.toFixed(3)}, ${divergenceMax.toFixed(3)}`],
  ];
}

export function answerFigures(answers: AnswerFigures): FigureRow[] {
  const rows: FigureRow[] = [];
  const pair = (name: string, before: Estimate | undefined, after: Estimate | undefined) => {
    if (before && after) rows.push([name, formatShare(before), formatShare(after)]);
  };
  pair('answers that match the dataset', answers.original.exactMatch, answers.slimmed.exactMatch);
  pair('answers with the right number', answers.original.numericMatch, answers.slimmed.numericMatch);
  rows.push(['answers the same as the original’s', '', formatShare(answers.same)]);
  return rows;
}

/** Size and speed, where they were measured. */
export function resourceFigures({ sizes, speed }: Pick<RunReport, 'sizes' | 'speed'>): FigureRow[] {
  const rows: FigureRow[] = [];
  if (sizes) {
    const { original, slimmed } = sizes;
    rows.push(['model size', formatBytes(original.modelBytes), formatBytes(slimmed.modelBytes)]);
    if (original.cacheBytesPerToken !== undefined && slimmed.cacheBytesPerToken !== undefined) {
      rows.push([
        'KV cache a token',
        formatBytes(original.cacheBytesPerToken),
        formatBytes(slimmed.cacheBytesPerToken),
      ]);
    }
  }
  if (speed) {
    const { original, slimmed } = speed;
    const rate = (tokens: number) => `${tokens.toFixed(0)} tokens/s`;
    const { against } = slimmed;
    rows.push([
      'reading prompts',
      rate(original.promptTokensPerSecond),
      rate(slimmed.promptTokensPerSecond) + timesWords(against?.prompt),
    ]);
    rows.push([
      'generating',
      rate(original.newTokensPerSecond),
      rate(slimmed.newTokensPerSecond) + timesWords(against?.answer),
    ]);
    rows.push(['peak memory', formatBytes(original.peakBytes), formatBytes(slimmed.peakBytes)]);
  }
  return rows;
}

/** ' (1.05 to 1.12 times)'; a difference that is noise is none. */
function timesWords(ratio: Estimate | undefined): string {
  if (!ratio) return '';
  if (speedVerdict(ratio) === 'too noisy to tell') return ' (too noisy to tell)';
  return ` (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)} times)`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB'];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[power - 1]}`;
}
