/** Words in and about pictures. */
import type { CurveEntry } from '../curve/curve-series.js';
import { counted, formatPercent } from '../format/numbers.js';

export const charts = {
  knee: 'knee',
  tokens: 'tokens',
  histogramBar: (from: number, to: number, rows: number) =>
    `${from === to ? from : `${from} to ${to}`} tokens: ${counted(rows, 'row')}`,
  curve(curve: readonly CurveEntry[], knee: number | undefined): string {
    const points = curve
      .map(({ blocks, quality }) => `${blocks}: ${formatPercent(quality.value)}`)
      .join(', ');
    const bend = knee === undefined ? '' : ` The knee is at ${counted(knee, 'block')}.`;
    return `Quality by number of skipped blocks. ${points}.${bend}`;
  },
} as const;
