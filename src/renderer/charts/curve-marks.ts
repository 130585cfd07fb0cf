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
  if (marks.knee !== undefined) drawKnee(plot, theme, marks.knee, marks.kneeWord);
  ctx.setLineDash([]);
  for (const { blocks, quality, trained } of marks.curve) {
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
    ctx.arc(x, y, (isSelected ? 6 : 4) * pixel, 0, 2 * Math.PI);
    ctx.fillStyle = isSelected ? theme.accent : trained ? theme.teal : theme.panel;
    ctx.fill();
    ctx.lineWidth = 2 * pixel;
    ctx.strokeStyle = isSelected ? theme.panel : theme.teal;
    ctx.stroke();
    ctx.lineWidth = pixel;
  }
  ctx.restore();
}

function drawKnee(plot: uPlot, theme: ChartTheme, knee: number, word: string): void {
  const { ctx } = plot;
  const pixel = devicePixelRatio;
  const x = plot.valToPos(knee, 'x', true);
  const { top, height } = plot.bbox;
  ctx.strokeStyle = theme.accent;
  ctx.setLineDash([3 * pixel, 3 * pixel]);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.fillStyle = theme.accent;
  ctx.font = theme.font.replace('12px', `${12 * pixel}px`);
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.fillText(word, x + 6 * pixel, top + height - 4 * pixel);
}
