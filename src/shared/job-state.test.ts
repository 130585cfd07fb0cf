import { answersEvent, type JobEvent } from '../schema/events.js';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { finishedRun, point as pointOf } from '../../test/support/run-report.js';
import { jobState, type JobState } from './job.js';
import { afterJobEvent, idleJob, startingJob } from './job-state.js';

const after = (events: JobEvent[], from: JobState = idleJob()) => events.reduce(afterJobEvent, from);

describe('what the events of a job add up to', () => {
  test('a round of the selection', () => {
    const tried = after([
      { type: 'candidate-started', round: 0, index: 0, tries: 2, block: 'attention 0' },
      { type: 'candidate-tried', round: 0, block: 'attention 0', loss: 0.5 },
      { type: 'candidate-started', round: 0, index: 1, tries: 2, block: 'attention 1' },
    ]);
    expect(tried).toMatchObject({
      rounds: [{ losses: { 'attention 0': 0.5 } }],
      candidate: { block: 'attention 1' },
    });
    const chosen = after(
      [
        { type: 'candidate-tried', round: 0, block: 'attention 1', loss: 0.2 },
        { type: 'block-chosen', round: 0, block: 'attention 1', loss: 0.2 },
      ],
      tried,
    );
    expect(chosen.skipped).toEqual(['attention 1']);
    expect(chosen.candidate).toBeUndefined();
    expect(tried.rounds[0]!.losses).not.toHaveProperty('attention 1');
  });

  test('choices that are held against each other, until one is taken', () => {
    const choice = (index: number): JobEvent => ({
      type: 'choice-started',
      blocks: ['attention 1', 'attention 2'],
      index,
      choices: 2,
    });
    const candidate = { round: 1, index: 0, tries: 12, block: 'attention 1' } as const;
    const judging = after([{ type: 'candidate-started', ...candidate }, choice(0), choice(1)]);
    expect(judging.choice).toMatchObject({ index: 1, blocks: ['attention 1', 'attention 2'] });
    expect(judging.candidate).toBeUndefined();
    expect(after([{ type: 'block-chosen', round: 0, block: 'attention 1' }], judging).choice).toBeUndefined();
  });

  test('epochs of the training, also if one comes twice after a crash', () => {
    const epoch = (number: number, heldoutLoss: number): JobEvent => ({
      type: 'epoch-finished',
      skipped: ['attention 1'],
      epochs: 3,
      result: { epoch: number, trainingLoss: null, heldoutLoss },
    });
    const state = after([epoch(0, 3), epoch(1, 2), epoch(1, 2.5)]);
    expect(state.training['1']!.map((result) => result.heldoutLoss)).toEqual([3, 2.5]);
    expect(state.epochs).toEqual({ blocks: 1, done: 1, total: 3 });
  });

  test('a run that goes on begins with what it had', () => {
    const findings = { rounds: [{ losses: { 'mlp 3': 1 }, chosen: 'mlp 3' as const }], training: {} };
    expect(after([{ type: 'restored', findings }])).toMatchObject({
      skipped: ['mlp 3'],
      rounds: findings.rounds,
    });
  });

  test('points of the curve in their order, each once', () => {
    const point = (blocks: number, selectionLoss: number): JobEvent => ({
      type: 'point',
      point: {
        skipped: Array.from({ length: blocks }, (_, index) => `attention ${index}` as const),
        withoutScales: {} as never,
        selectionLoss,
      },
    });
    const state = after([point(2, 1), point(1, 1), point(2, 7)]);
    expect(state.points.map((each) => [each.skipped.length, each.selectionLoss])).toEqual([
      [1, 1],
      [2, 7],
    ]);
  });

  test('answers that are done; one in the making is none yet', () => {
    const state = after([answersEvent(1.9, 8)]);
    expect(state.answers).toEqual({ done: 1, total: 8 });
    expect(v.is(jobState, state)).toBe(true);
  });

  test('how it runs: device, way within the limit of memory by kind of work, time left', () => {
    const memory = (work: 'answers' | 'calibration', way: string): JobEvent => ({
      type: 'memory',
      plan: { work } as never,
      way,
      why: '',
    });
    const state = after([
      { type: 'provider', reason: 'WebGPU: it started.' },
      memory('answers', 'whole'),
      memory('calibration', 'in 3 segments'),
      { type: 'provider', reason: 'Goes on on the CPU, and not on WebGPU: lost.' },
      { type: 'progress', done: 1, total: 4, secondsLeft: 9 },
    ]);
    expect(state).toMatchObject({
      device: 'Goes on on the CPU, and not on WebGPU: lost.',
      memory: { answers: 'whole', calibration: 'in 3 segments' },
      progress: { done: 1, total: 4, secondsLeft: 9 },
    });
  });

  test('what is not of the job’s state leaves it as it is', () => {
    const state = after([{ type: 'stage', stage: 'calibrating' }]);
    const passing: JobEvent[] = [
      { type: 'cpu-operators', provider: 'webgpu', operators: ['Where'] },
      { type: 'round', done: 1, total: 4 },
      { type: 'token', side: 'slimmed', text: 'a', tokens: 1, seconds: 0.1 },
    ];
    expect(after(passing, state)).toBe(state);
  });

  test('each state fits the contract', () => {
    const run = { ...finishedRun(), resumable: false, curve: [] };
    const begun = after(
      [
        { type: 'stage', stage: 'reading the task' },
        { type: 'point', point: pointOf(['mlp 0'], 0.1) },
      ],
      startingJob(run, 5),
    );
    for (const state of [idleJob(), startingJob(run, 5), begun])
      expect(() => v.parse(jobState, state)).not.toThrow();
  });

  test('a new stage ends what belonged to the one before', () => {
    const state = after([
      { type: 'answers', done: 1, total: 2 },
      { type: 'stage', stage: 'calibrating' },
    ]);
    expect(state.answers).toBeUndefined();
    expect(state.stage).toBe('calibrating');
  });
});
