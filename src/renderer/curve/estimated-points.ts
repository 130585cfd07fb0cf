/** Points of a run's curve that are not trained yet, guessed from those that are and from the search. */
import type { CurveEntry } from './curve-series.js';

/**
 * Between two measured points the quality falls as the loss rose in the search, where that is known, else evenly.
 * @param curve measured points, the original first
 * @param rises how much the loss rose with each skipped block, in the order in which they were chosen
 * @returns all points up to the last measured one, with the guessed ones among them
 */
export function withEstimates(
  curve: readonly CurveEntry[],
  rises: readonly (number | undefined)[],
): CurveEntry[] {
  return curve.flatMap((entry, place) => {
    const next = curve[place + 1];
    return next ? [entry, ...between(entry, next, rises)] : [entry];
  });
}

function between(from: CurveEntry, to: CurveEntry, rises: readonly (number | undefined)[]): CurveEntry[] {
  // What made no difference to the loss makes none to the quality.
  const steps = Array.from({ length: to.blocks - from.blocks }, (_, step) =>
    Math.max(0, rises[from.blocks + step] ?? Number.NaN),
  );
  const total = steps.reduce((sum, step) => sum + step, 0);
  const isKnown = total > 0;
  let sum = 0;
  return steps.slice(0, -1).map((step, place) => {
    sum += step;
    const share = isKnown ? sum / total : (place + 1) / steps.length;
    const value = from.quality.value + share * (to.quality.value - from.quality.value);
    return {
      blocks: from.blocks + place + 1,
      quality: { value, low: value, high: value },
      untrained: undefined,
      trained: false,
      estimated: true,
    };
  });
}
