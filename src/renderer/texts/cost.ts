/** 'What did it cost me?' in one sentence. */
import {
  speedVerdict,
  type AnswerFigures,
  type CurvePoint,
  type RunReport,
  type SpeedFigures,
} from '../../schema/report.js';
import type { Estimate } from '../../schema/values.js';
import type { Savings } from '../curve/savings.js';
import { formatChanges, formatInterval, formatPercent } from '../format/numbers.js';

export interface CostFacts {
  report: Pick<RunReport, 'qualityMeasure' | 'original'>;
  point: CurvePoint;
  /** Both models' own answers, where they were generated for this point. */
  figures: AnswerFigures | undefined;
  savings: Savings | undefined;
  sizes: RunReport['sizes'];
  speed: RunReport['speed'];
}

export function costSentence(facts: CostFacts): string {
  return `${qualityWords(facts)} ${gainWords(facts)}`;
}

function qualityWords({ report, point, figures }: CostFacts): string {
  if (figures) {
    const same = Math.round(figures.same.value * figures.prompts);
    return `Answers match the original on ${same} of ${figures.prompts} held-out prompts (${formatInterval(figures.same)}).`;
  }
  const quality = point.withScales ?? point.withoutScales;
  if (report.qualityMeasure === 'answers') {
    const { value } = quality.answerAccuracy;
    return `${Math.round(value * quality.rows)} of ${quality.rows} held-out answers are predicted in full (${formatInterval(quality.answerAccuracy)}).`;
  }
  return `It predicts ${formatPercent(quality.tokenAccuracy.value, 1)} of the next tokens right; the original ${formatPercent(report.original.tokenAccuracy.value, 1)}.`;
}

function gainWords({ savings, sizes, speed }: CostFacts): string {
  const parts: string[] = [];
  if (speed) {
    // Without an interval nobody knows what of it is noise.
    const { against } = speed.slimmed;
    if (against) parts.push(...speedParts(against));
  }
  if (savings?.cacheShare) parts.push(`the KV cache is ${formatPercent(savings.cacheShare, 0)} smaller`);
  const file = sizes ? 1 - sizes.slimmed.modelBytes / sizes.original.modelBytes : savings?.share;
  if (file !== undefined) parts.push(`the file ${sizes ? '' : 'about '}${formatPercent(file)} smaller`);
  if (parts.length === 0) return '';
  const sentence = parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
  return `${sentence[0]!.toUpperCase()}${sentence.slice(1)}.`;
}

function speedParts({ prompt, answer }: NonNullable<SpeedFigures['against']>): string[] {
  const words = [speedVerdict(prompt), speedVerdict(answer)];
  if (words.every((word) => word === 'too noisy to tell'))
    return ['the speed is too close, or too noisy here, to tell apart'];
  return [`prompt reading is ${timesWords(prompt)}`, `writing ${timesWords(answer)}`];
}

function timesWords(ratio: Estimate): string {
  const verdict = speedVerdict(ratio);
  return verdict === 'too noisy to tell'
    ? verdict
    : `${formatPercent(Math.abs(ratio.value - 1), 0)} ${verdict} (${formatChanges(ratio)})`;
}
