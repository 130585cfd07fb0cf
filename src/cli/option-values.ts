/** Values of command-line options. */
import { plannedKind, PROVIDER_NAMES, type PlannedKind } from '../engine/index.js';
import { InvalidArgumentError, Option } from 'commander';

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

export function parseCount(text: string): number {
  const value = parseNumber(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 up.');
  return value;
}

export function parseWhole(text: string): number {
  const value = parseNumber(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be a whole number from 0 up.');
  return value;
}

/** '2%' or '0.02'. */
export function parseDrop(text: string): number {
  const isPercent = text.trim().endsWith('%');
  const value = parseNumber(text.replace('%', '')) / (isPercent ? 100 : 1);
  if (value < 0 || value >= 1) throw new InvalidArgumentError("It must be a share such as '2%' or '0.02'.");
  return value;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** 'neurons,precision'. */
export function parseKinds(text: string): PlannedKind[] {
  const kinds = text.split(',').map((kind) => kind.trim());
  const isKind = (kind: string): kind is PlannedKind => plannedKind.options.includes(kind as PlannedKind);
  if (!kinds.every(isKind))
    throw new InvalidArgumentError(
      `It must be some of ${plannedKind.options.join(', ')}, with commas between.`,
    );
  return kinds;
}

/** '2GB', '512 MB', '1.5GiB' or a plain number: in bytes. */
export function parseBytes(text: string): number {
  const match = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim());
  const unit = BYTE_UNITS[match?.[2]?.toUpperCase() || 'B'];
  const bytes = Math.floor(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isFinite(bytes) || bytes < 1)
    throw new InvalidArgumentError("It must be a size such as '2GB', '512MB' or '1.5GiB'.");
  return bytes;
}

/** '1.5x' or '1.5'. */
export function parseTimes(text: string): number {
  const value = parseNumber(text.trim().replace(/x$/i, ''));
  if (value <= 1 || value > 100)
    throw new InvalidArgumentError("It must be a number above 1, such as '1.5x'.");
  return value;
}

/** '0..255'. */
export function parseRange(text: string): { first: number; last: number } {
  const match = /^(\d+)\.\.(\d+)$/.exec(text.trim());
  if (!match || Number(match[1]) > Number(match[2])) {
    throw new InvalidArgumentError("It must be two row numbers such as '0..255'.");
  }
  return { first: Number(match[1]), last: Number(match[2]) };
}

export function providerOption(): Option {
  return new Option(
    '--provider <name>',
    "execution provider; 'auto' for the first one that starts and is not slower than the CPU",
  ).choices(PROVIDER_NAMES);
}
