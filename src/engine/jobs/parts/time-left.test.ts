import { expect, test } from 'vitest';
import { TimeLeft } from './time-left.js';

test('remaining time from the pace', () => {
  let now = 0;
  const timeLeft = new TimeLeft(() => now);
  expect(timeLeft.after('steps', 0, 10)).toBeUndefined();
  now = 2;
  expect(timeLeft.after('steps', 1, 10)).toBe(18);
  now = 6;
  expect(timeLeft.after('steps', 3, 10)).toBe(14);
});

test('another kind of work has a pace of its own', () => {
  let now = 0;
  const timeLeft = new TimeLeft(() => now);
  timeLeft.after('answers', 0, 2);
  now = 5;
  timeLeft.after('answers', 1, 2);
  expect(timeLeft.after('steps', 1, 9)).toBeUndefined();
});
