/** Axes as the design has them: hairlines, small numbers. */
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

/** Whole numbers only. */
export const wholeNumbers: uPlot.Axis = {
  incrs: [1, 2, 5, 10, 20, 50, 100],
  space: 28,
  size: 28,
  grid: { show: false },
  values: (_plot, splits) => splits.map((value) => (Number.isInteger(value) ? String(value) : '')),
};
