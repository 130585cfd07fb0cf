import { expect, test, vi } from 'vitest';
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

test('what is counted many times a second has its pace over a second, not that of the last moment', () => {
  let now = 0;
  const timeLeft = new TimeLeft(() => now);
  for (let done = 0; done <= 100; done += 1) {
    now = Math.floor(done / 10) + (done % 10) / 1000;
    timeLeft.after('answers', done, 200);
  }
  expect(timeLeft.after('answers', 100, 200)).toBeCloseTo(10, 0);
});

test('a night that the laptop slept through hardly changes it', () => {
  let now = 0;
  const timeLeft = new TimeLeft(() => now);
  const step = (seconds: number, done: number) => ((now += seconds), timeLeft.after('steps', done, 1000)!);
  for (let done = 0; done < 100; done += 1) step(1, done);
  expect(step(30_000, 100)).toBeLessThan(2 * 900);
  const pace = Array.from({ length: 100 }, (_, index) => step(1, 101 + index) / (899 - index)).at(-1)!;
  expect(pace).toBeLessThan(1.1);
});

test('a clock that is put forward changes nothing: time is taken from one that is never set', () => {
  const clock = vi.spyOn(Date, 'now').mockReturnValue(0);
  const timeLeft = new TimeLeft();
  timeLeft.after('steps', 0, 10);
  clock.mockReturnValue(1e9);
  expect(timeLeft.after('steps', 1, 10) ?? 0).toBeLessThan(60);
  clock.mockRestore();
});

test('another kind of work has a pace of its own', () => {
  let now = 0;
  const timeLeft = new TimeLeft(() => now);
  timeLeft.after('answers', 0, 2);
  now = 5;
  timeLeft.after('answers', 1, 2);
  expect(timeLeft.after('steps', 1, 9)).toBeUndefined();
});
