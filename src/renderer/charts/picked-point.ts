/** Which point of the curve a key or a click means. */

/** @returns undefined for keys that a slider does not know; at an end the point stays where it is */
export function pointAfterKey(
  key: string,
  pickable: readonly number[],
  selected: number,
): number | undefined {
  const place = pickable.indexOf(selected);
  const last = pickable.length - 1;
  const at = (wanted: number) => pickable[Math.min(last, Math.max(0, wanted))];
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return at(place - 1);
    case 'ArrowRight':
    case 'ArrowUp':
      return at(place + 1);
    case 'PageDown':
      return at(place - Math.ceil(last / 4));
    case 'PageUp':
      return at(place + Math.ceil(last / 4));
    case 'Home':
      return at(0);
    case 'End':
      return at(last);
    default:
      return undefined;
  }
}

/** A click on a point whose scales were not trained, or on the original, means the nearest one that has some. */
export function nearestPoint(pickable: readonly number[], blocks: number): number {
  return pickable.reduce((best, one) => (Math.abs(one - blocks) < Math.abs(best - blocks) ? one : best));
}
