import type { Estimate } from '../../schema/values.js';
/** Numbers as people read them, always with their unit. */

const NARROW_SPACE = '\u202f';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function formatCount(value: number): string {
  return whole.format(value);
}

/** '1 block', '4 blocks'. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[power - 1]}`;
}

/** 135 M, 1.2 B: as people speak of parameters. */
export function formatAmount(value: number): string {
  if (value < 1000) return formatCount(value);
  const units = ['k', 'M', 'B', 'T'];
  const power = Math.min(units.length, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)}${NARROW_SPACE}${units[power - 1]}`;
}

/** 0.153 as '15 %', small shares with a digit more. */
export function formatPercent(share: number, digits?: number): string {
  const percent = share * 100;
  const auto = Math.abs(percent) < 10 && percent % 1 !== 0 ? 1 : 0;
  return `${percent.toFixed(digits ?? auto)}${NARROW_SPACE}%`;
}

/** What is saved, as a change: −15 %. */
export function formatSaving(share: number): string {
  return share < 0.0005 ? `±0${NARROW_SPACE}%` : `−${formatPercent(share)}`;
}

/** '91–96 %'. */
export function formatInterval({ low, high }: Estimate): string {
  const [from, to] = [low, high].map((share) => (Math.min(1, Math.max(0, share)) * 100).toFixed(0));
  return `${from}–${to}${NARROW_SPACE}%`;
}

/** What a ratio's interval is as a change: '+8 to +14 %'. */
export function formatChanges({ low, high }: Estimate): string {
  const signed = (ratio: number) => `${ratio < 1 ? '−' : '+'}${Math.abs((ratio - 1) * 100).toFixed(0)}`;
  return `${signed(low)} to ${signed(high)}${NARROW_SPACE}%`;
}

export function formatLoss(loss: number): string {
  const size = Math.abs(loss);
  if (size !== 0 && size < 0.001) {
    const [mantissa, power] = loss.toExponential(1).split('e-');
    return `${mantissa} × 10⁻${[...power!].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('')}`;
  }
  return loss.toFixed(size < 0.1 ? 4 : size < 10 ? 3 : 1);
}

export function formatChange(value: number): string {
  return `${value < 0 ? '−' : '+'}${formatLoss(Math.abs(value))}`;
}

const ORDINALS = [
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
];

/** @param place from 0 */
export function ordinal(place: number): string {
  if (place < ORDINALS.length) return ORDINALS[place]!;
  const number = place + 1;
  const ending = { one: 'st', two: 'nd', few: 'rd', other: 'th' }[
    new Intl.PluralRules('en', { type: 'ordinal' }).select(number) as 'one' | 'two' | 'few' | 'other'
  ];
  return `${number}${ending}`;
}
