/** Words of the layer strip. */
import { formatAmount, formatBytes, formatChange, formatPercent, ordinal } from '../format/numbers.js';
import type { StripCell } from '../strip/strip-cells.js';

const kinds = { attention: 'attention', convolution: 'convolution', mlp: 'MLP' } as const;

export const strip = {
  label: 'Layers of the model, from the input on the left to the output on the right',
  attention: 'Attention',
  convolution: 'Convolution',
  mlp: 'MLP',
  cache: 'KV cache',
  empty: 'The layers of your model will appear here.',
  legend: {
    sizes: 'Taller cells hold more of the file. Point at one, or walk with the arrow keys.',
    budget: 'Open cells may be skipped; the others stay.',
    importance: ['Hardly missed', 'Needed most'] as const,
    trying: 'being tried',
    skipped: 'skipped',
    scales: 'Bars show trained scales around 1: left for the block, right for what passes by it.',
  },
  /** What a screen reader hears. */
  name(cell: StripCell): string {
    return [
      `Layer ${cell.layer}`,
      kinds[cell.kind],
      cell.trying ? 'being tried' : undefined,
      cell.skippedAt === undefined ? undefined : `skipped ${ordinal(cell.skippedAt)}`,
      cell.dimmed ? 'stays' : undefined,
      cell.lossRise === undefined ? undefined : `loss ${formatChange(cell.lossRise)}`,
      ...(cell.lossRise === undefined ? sizes(cell) : []),
      ...scales(cell),
    ]
      .filter(Boolean)
      .join(', ');
  },
  /** The line above the strip for the cell that is pointed at. */
  details(cell: StripCell): string[] {
    return [
      ...sizes(cell),
      cell.skippedAt === undefined ? '' : `skipped ${ordinal(cell.skippedAt)}`,
      cell.lossRise === undefined ? '' : `loss ${formatChange(cell.lossRise)} without it`,
      ...scales(cell),
    ].filter(Boolean);
  },
  title: (cell: StripCell) => `Layer ${cell.layer} · ${kinds[cell.kind]}`,
};

function sizes(cell: StripCell): string[] {
  if (cell.bytes === undefined) return [];
  return [
    `${formatAmount(cell.parameters!)} parameters`,
    `${formatBytes(cell.bytes)} (${formatPercent(cell.share!)} of the weights)`,
    ...(cell.cacheBytesPerToken === undefined
      ? []
      : [`${formatBytes(cell.cacheBytesPerToken)} of KV cache a token`]),
  ];
}

function scales({ scales: entry, skippedAt }: StripCell): string[] {
  if (!entry) return [];
  const scale = (value: number) => value.toFixed(3);
  return [
    ...(entry.block && skippedAt === undefined ? [`block × ${scale(entry.block.mean)}`] : []),
    ...(entry.gain && skippedAt === undefined ? [`norm × ${scale(entry.gain.mean)}`] : []),
    ...(entry.residual ? [`passing by × ${scale(entry.residual.mean)}`] : []),
  ];
}
