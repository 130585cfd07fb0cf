import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  parseBytes,
  parseCount,
  parseDrop,
  parseNumber,
  parseRange,
  providerOption,
} from './option-values.js';

describe('a number', () => {
  it.each([
    ['3', 3],
    ['-0.5', -0.5],
    ['1e-3', 0.001],
  ])('reads %s', (text, value) => expect(parseNumber(text)).toBe(value));

  it.each(['', ' ', 'some', '1,5', 'Infinity', 'NaN'])('refuses %j', (text) => {
    expect(() => parseNumber(text)).toThrow(new InvalidArgumentError('It must be a number.'));
  });
});

describe('a count', () => {
  it('is a whole number from 1 up', () => expect(parseCount('12')).toBe(12));

  it.each(['0', '-3', '2.5', 'two'])('is not %s', (text) => {
    expect(() => parseCount(text)).toThrow(InvalidArgumentError);
  });
});

describe('a loss of quality', () => {
  it.each([
    ['2%', 0.02],
    [' 2.5 % ', 0.025],
    ['0.02', 0.02],
    ['0', 0],
  ])('reads %j as a share', (text, share) => expect(parseDrop(text)).toBe(share));

  // '2' meant as a percentage would allow everything.
  it.each(['2', '100%', '-1%', '%', '2%%', ''])('refuses %j', (text) => {
    expect(() => parseDrop(text)).toThrow(InvalidArgumentError);
  });
});

describe('a size in bytes', () => {
  it.each([
    ['2GB', 2e9],
    ['512MB', 512e6],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['700 mb', 700e6],
    ['4 GiB', 2 ** 32],
    ['123456789', 123456789],
  ])('reads %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', 'GB', '2XB', '-1GB', '0', 'much', '1.2.3GB', '1e3MB'])('refuses %j', (text) => {
    expect(() => parseBytes(text)).toThrow(InvalidArgumentError);
  });
});

describe('a range of rows', () => {
  it('has its first and its last row', () => {
    expect(parseRange('0..255')).toEqual({ first: 0, last: 255 });
    expect(parseRange(' 7..7 ')).toEqual({ first: 7, last: 7 });
  });

  it.each(['9..3', '5', '1-4', '-1..4', '1...4', 'a..b', ''])('is not %j', (text) => {
    expect(() => parseRange(text)).toThrow("It must be two row numbers such as '0..255'.");
  });
});

it('a provider is one that the engine knows, or the choice is left to it', () => {
  expect(providerOption().argChoices).toEqual(['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'auto']);
});
