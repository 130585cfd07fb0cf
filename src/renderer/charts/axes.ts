/** Axes of all charts: hairlines, small numbers. */
import type uPlot from 'uplot';
import type { ChartTheme } from './chart-theme.js';

export function axis(theme: ChartTheme, rest: uPlot.Axis): uPlot.Axis {
  return {
    stroke: theme.muted,
    font: theme.font,
    grid: { stroke: theme.line, width: 1 },
    ticks: { show: false },
    border: { show: false },
    gap: 6,
    ...rest,
  };
}

/** Powers of ten; where they are few, also their doubles and fives. */
export function logTicks(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const steps = last - first > 2 ? [1] : [1, 2, 5];
  return Array.from({ length: last - first + 1 }, (_, place) => 10 ** (first + place))
    .flatMap((power) => steps.map((step) => step * power))
    .filter((value) => value >= low && value <= high);
}

/** Whole numbers only. */
export const wholeNumbers: uPlot.Axis = {
  incrs: [1, 2, 5, 10, 20, 50, 100],
  space: 28,
  size: 28,
  grid: { show: false },
  values: (_plot, splits) => splits.map((value) => (Number.isInteger(value) ? String(value) : '')),
};
