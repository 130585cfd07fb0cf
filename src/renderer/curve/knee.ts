/** The knee of a curve: the last point before skipping becomes dear. */

export interface QualityPoint {
  blocks: number;
  quality: number;
}

/** Bends smaller than this part of the curve's height are noise. */
const LEAST_BEND = 0.08;

/**
 * The point farthest above the straight line from the first to the last (as 'Kneedle' does), the original first.
 * @returns its number of blocks, or undefined for a curve that is short, flat or straight
 */
export function kneeOf(points: readonly QualityPoint[]): number | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < 4) return undefined;
  const width = last.blocks - first.blocks;
  const height = first.quality - last.quality;
  if (width <= 0 || height <= 0) return undefined;
  let knee: number | undefined;
  let best = LEAST_BEND;
  for (const { blocks, quality } of points.slice(1, -1)) {
    const across = (blocks - first.blocks) / width;
    const down = (first.quality - quality) / height;
    if (across - down > best) {
      best = across - down;
      knee = blocks;
    }
  }
  return knee;
}
