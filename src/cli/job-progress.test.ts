import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { point } from '../../test/support/run-report.js';
import type { JobEvent } from '../engine/index.js';
import { JobProgress } from './job-progress.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A screen that keeps what is written on it. */
class FakeScreen extends Writable {
  written = '';
  readonly columns = 100;

  constructor(readonly isTTY: boolean) {
    super();
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }

  get lines(): string[] {
    return stripVTControlCharacters(this.written).split('\n').slice(0, -1);
  }
}

function shown(isTTY: boolean) {
  const screen = new FakeScreen(isTTY);
  const progress = new JobProgress(screen);
  return {
    screen,
    progress,
    show: (...events: JobEvent[]) => events.forEach((event) => progress.show(event)),
  };
}

const steps = (done: number, total: number, secondsLeft?: number): JobEvent => ({
  type: 'progress',
  done,
  total,
  secondsLeft,
});

describe('where there is no terminal', () => {
  it('stages, columns, device and plan are a line each', () => {
    const { screen, show } = shown(false);
    show(
      { type: 'provider', reason: 'WebGPU: it started.' },
      { type: 'stage', stage: 'reading the task' },
      { type: 'columns', columns: 'prompt from q.', problems: [] },
      { type: 'memory', plan: {} as never, way: 'in 3 segments', why: 'the limit is 2 GB' },
      { type: 'cpu-operators', provider: 'webgpu', operators: ['Range', 'Where'] },
    );
    expect(screen.lines).toEqual([
      'WebGPU: it started.',
      'Reading the task ...',
      '  prompt from q.',
      '  in 3 segments: the limit is 2 GB',
      '  webgpu leaves to the CPU: Range, Where',
    ]);
  });

  it('progress is a line every ten seconds, with the time left once there is a pace', () => {
    const { screen, show } = shown(false);
    show(steps(1, 100));
    for (let done = 2; done <= 30; done += 1) {
      vi.advanceTimersByTime(1000);
      show(steps(done, 100, 100 - done));
    }
    expect(screen.lines).toEqual([
      '  1 of 100 forward passes, time left not known yet',
      '  12 of 100 forward passes, about 88 s left',
      '  23 of 100 forward passes, about 77 s left',
    ]);
  });

  it('the end is told, and once, though work is counted in fractions', () => {
    const { screen, show } = shown(false);
    show(steps(99.2, 100), steps(99.7, 100, 1), steps(100, 100, 0));
    expect(screen.lines).toEqual([
      '  99 of 100 forward passes, time left not known yet',
      '  100 of 100 forward passes, done',
    ]);
  });

  it('choices that are held against each other are a line each', () => {
    const { screen, show } = shown(false);
    show({ type: 'choice-started', blocks: ['attention 8', 'mlp 2'], index: 0, choices: 3 });
    expect(screen.lines).toEqual(['  choice 1 of 3, trained a little: without attention 8, mlp 2']);
  });

  it('blocks come with their loss if the strategy has one, points with and without scales', () => {
    const { screen, show } = shown(false);
    const trained = point(['attention 8'], 0.25);
    show(
      { type: 'block-chosen', round: 0, block: 'attention 8', loss: 0.125 },
      { type: 'block-chosen', round: 1, block: 'mlp 2' },
      { type: 'point', point: trained },
      { type: 'point', point: { ...trained, skipped: ['attention 8', 'mlp 2'], withScales: undefined } },
    );
    expect(screen.lines).toEqual([
      '  skip attention 8, loss 0.1250',
      '  skip mlp 2',
      '  1 block skipped: held-out loss 0.2500 (without scales 1.2500), whole responses 75.0 %',
      '  2 blocks skipped: held-out loss 1.2500 without scales, whole responses 50.0 %',
    ]);
  });

  it('tokens and candidates pass in silence', () => {
    const { screen, show } = shown(false);
    show(
      { type: 'token', side: 'original', text: 'a', tokens: 1, seconds: 0 },
      { type: 'candidate-started', round: 0, block: 'mlp 0', index: 0, tries: 2 },
    );
    expect(screen.written).toBe('');
  });
});

describe('on a terminal', () => {
  it('a bar says how far the work is and how long it will take', () => {
    const { screen, progress, show } = shown(true);
    show({ type: 'answers', done: 1, total: 8 });
    expect(stripVTControlCharacters(screen.written)).toContain('1 of 8 answers, time left not known yet');
    show({ type: 'answers', done: 4, total: 8, secondsLeft: 12 });
    vi.advanceTimersByTime(1000);
    expect(stripVTControlCharacters(screen.written)).toContain('4 of 8 answers, about 12 s left');
    progress.end();
  });

  it('a line that comes between stands whole above the bar, which goes on below', () => {
    const { screen, progress, show } = shown(true);
    show(steps(2, 10, 8), { type: 'block-chosen', round: 0, block: 'mlp 1' });
    const line = '  skip mlp 1\n';
    expect(screen.written.endsWith(line)).toBe(true);
    // Before it comes the end of a line, or the command that rubs the bar out.
    expect(screen.written.slice(0, -line.length)).not.toMatch(/left$|speed$/);
    const before = screen.written.length;
    show(steps(3, 10, 7));
    expect(screen.written.slice(before)).toContain('3 of 10 forward passes');
    progress.end();
  });

  it('the cursor comes back at the end, whenever that is', () => {
    const [hidden, back] = ['\u001B[?25l', '\u001B[?25h'];
    for (const ends of [[steps(10, 10)], []]) {
      const { screen, progress, show } = shown(true);
      show(steps(2, 10), ...ends);
      expect(screen.written).toContain(hidden);
      progress.end();
      expect(screen.written.lastIndexOf(back)).toBeGreaterThan(screen.written.lastIndexOf(hidden));
    }
  });
});
