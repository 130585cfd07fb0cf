/** Sizes and speed of the point that is looked at: measured now or earlier, or by the run for the point it settled on. */
import type { RunReport } from '../../../schema/report.js';
import type { Session } from '../../state/session.svelte.js';

export function pointMeasures(
  { compare, result }: Session,
  report: RunReport,
): { sizes: RunReport['sizes']; speed: RunReport['speed'] } {
  const now = compare.measured.value ?? result.details.value?.measured[String(result.blocks)];
  if (now) return { sizes: now.sizes, speed: now.speed };
  const isChosen = report.chosenPoint === result.blocks;
  return { sizes: isChosen ? report.sizes : undefined, speed: isChosen ? report.speed : undefined };
}
