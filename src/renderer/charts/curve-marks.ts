/** What is drawn over the curve's line: intervals, points, the knee. */
import type uPlot from 'uplot';
import type { CurveEntry } from '../curve/curve-series.js';
import type { ChartTheme } from './chart-theme.js';

export interface CurveMarks {
  curve: readonly CurveEntry[];
  knee: number | undefined;
  selected: number | undefined;
  kneeWord: string;
}

export function drawCurveMarks(plot: uPlot, theme: ChartTheme, marks: CurveMarks): void {
  const { ctx } = plot;
  const pixel = devicePixelRatio;
  const at = (blocks: number, share: number): [number, number] => [
    plot.valToPos(blocks, 'x', true),
    plot.valToPos(share * 100, 'y', true),
  ];
  ctx.save();
  ctx.lineWidth = pixel;
  if (marks.knee !== undefined) drawKnee(plot, theme, marks);
  ctx.setLineDash([]);
  if (marks.selected !== undefined) drawSelected(plot, theme, marks.selected);
  for (const { blocks, quality, trained, estimated } of marks.curve) {
    ctx.setLineDash(estimated ? [2 * pixel, 2 * pixel] : []);
    const [x, low] = at(blocks, Math.max(0, quality.low));
    const [, high] = at(blocks, Math.min(1, quality.high));
    ctx.strokeStyle = theme.teal;
    ctx.globalAlpha = 0.5;
    ctx.beginPath();
    ctx.moveTo(x, low);
    ctx.lineTo(x, high);
    ctx.stroke();
    ctx.globalAlpha = 1;
    const [, y] = at(blocks, quality.value);
    const isSelected = blocks === marks.selected;
    ctx.beginPath();
    ctx.arc(x, y, (isSelected ? 7 : 4) * pixel, 0, 2 * Math.PI);
    ctx.fillStyle = isSelected && !estimated ? theme.accent : trained ? theme.teal : theme.panel;
    ctx.fill();
    ctx.lineWidth = 2 * pixel;
    ctx.strokeStyle = isSelected
      ? estimated
        ? theme.accent
        : theme.panel
      : estimated
        ? theme.muted
        : theme.teal;
    ctx.stroke();
    ctx.lineWidth = pixel;
  }
  ctx.restore();
}

/** A line down to the axis, and the axis' number as the handle of a slider. */
function drawSelected(plot: uPlot, theme: ChartTheme, selected: number): void {
  const { ctx } = plot;
  const pixel = devicePixelRatio;
  const x = plot.valToPos(selected, 'x', true);
  const { top, height } = plot.bbox;
  const bottom = top + height;
  ctx.strokeStyle = theme.accent;
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, bottom);
  ctx.stroke();
  ctx.fillStyle = theme.accentFill;
  ctx.beginPath();
  ctx.roundRect(x - 12 * pixel, bottom + 3 * pixel, 24 * pixel, 20 * pixel, 10 * pixel);
  ctx.fill();
  ctx.fillStyle = theme.onAccent;
  ctx.font = theme.font.replace('12px', `${12 * pixel}px`);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(String(selected), x, bottom + 13.5 * pixel);
}

/** The word stands where the falling curve leaves room: at the top, to the right. */
function drawKnee(plot: uPlot, theme: ChartTheme, { knee, selected, kneeWord }: CurveMarks): void {
  const { ctx } = plot;
  const pixel = devicePixelRatio;
  const x = plot.valToPos(knee!, 'x', true);
  const { top, height } = plot.bbox;
  if (knee !== selected) {
    ctx.strokeStyle = theme.muted;
    ctx.setLineDash([3 * pixel, 3 * pixel]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
  }
  ctx.fillStyle = theme.muted;
  ctx.font = theme.font.replace('12px', `${12 * pixel}px`);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.fillText(kneeWord, x + 6 * pixel, top + 4 * pixel);
}
