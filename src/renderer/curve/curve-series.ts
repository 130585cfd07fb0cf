import type { Estimate } from '../../schema/values.js';
import type { CurvePoint, HeldoutQuality } from '../../schema/report.js';
/** A run's curve of quality against skipped blocks, ready to draw. */

export type QualityMeasure = 'answers' | 'tokens';

export interface CurveEntry {
  blocks: number;
  quality: Estimate;
  /** Quality before the scales were trained. */
  untrained: number | undefined;
  trained: boolean;
  /** Nobody has measured it: it is guessed from what the search found. */
  estimated?: boolean;
}

export function qualityOf(quality: HeldoutQuality, measure: QualityMeasure): Estimate {
  return measure === 'answers' ? quality.answerAccuracy : quality.tokenAccuracy;
}

/** The original first. */
export function curveSeries(
  original: HeldoutQuality | undefined,
  points: readonly CurvePoint[],
  measure: QualityMeasure,
): CurveEntry[] {
  const start = original && {
    blocks: 0,
    quality: qualityOf(original, measure),
    untrained: undefined,
    trained: true,
  };
  return [
    ...(start ? [start] : []),
    ...points.map(({ skipped, withScales, withoutScales }) => ({
      blocks: skipped.length,
      quality: qualityOf(withScales ?? withoutScales, measure),
      untrained: withScales ? qualityOf(withoutScales, measure).value : undefined,
      trained: withScales !== undefined,
    })),
  ];
}
