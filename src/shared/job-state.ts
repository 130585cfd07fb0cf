/** What the events of a job add up to. Both sides use it: main answers `job.state` from it, the page draws from it. */
import type { RunFindings, RunSummary, SelectionRound } from '../schema/runs.js';
import type { JobEvent } from '../schema/events.js';
import type { JobState } from './job.js';

export function idleJob(): JobState {
  return { status: 'idle', problems: [], rounds: [], training: {}, skipped: [], points: [] };
}

export function startingJob(run: RunSummary, now: number): JobState {
  return { ...idleJob(), status: 'starting', run, startedAt: now };
}

/** The state after an event; the old one is left as it is. */
export function afterJobEvent(state: JobState, event: JobEvent): JobState {
  switch (event.type) {
    case 'restored':
      return { ...state, ...event.findings, skipped: chosenIn(event.findings) };
    case 'stage':
      return without({ ...state, stage: event.stage }, ['answers', 'candidate', 'choice', 'epochs']);
    case 'columns':
      return { ...state, columns: event.columns, problems: event.problems };
    case 'provider':
      return { ...state, device: event.reason };
    case 'memory':
      return { ...state, memory: { ...state.memory, [event.plan.work]: event.way } };
    case 'cpu-operators':
    case 'export-mode':
    case 'round':
    case 'token':
    case 'import':
    case 'imported':
    case 'cutting':
    case 'cut':
    case 'cut-tried':
      return state;
    case 'answers':
      return { ...state, answers: { done: event.done, total: event.total } };
    case 'original':
      return { ...state, original: event.quality, measure: event.measure };
    case 'candidate-started': {
      const { type: _, ...candidate } = event;
      return without({ ...state, candidate }, ['choice', 'epochs']);
    }
    case 'choice-started': {
      const { type: _, ...choice } = event;
      return without({ ...state, choice }, ['candidate', 'epochs']);
    }
    case 'candidate-tried':
      return {
        ...state,
        rounds: withRound(state.rounds, event.round, (round) => ({
          ...round,
          losses: { ...round.losses, [event.block]: event.loss },
          ...(event.rise === undefined ? {} : { rises: { ...round.rises, [event.block]: event.rise } }),
        })),
      };
    case 'block-chosen': {
      const rounds = withRound(state.rounds, event.round, (round) => ({ ...round, chosen: event.block }));
      return without({ ...state, rounds, skipped: chosenIn({ rounds }) }, ['candidate', 'choice']);
    }
    case 'epoch-finished': {
      const key = String(event.skipped.length);
      const earlier = (state.training[key] ?? []).filter(({ epoch }) => epoch < event.result.epoch);
      return {
        ...without(state, ['candidate', 'choice']),
        training: { ...state.training, [key]: [...earlier, event.result] },
        epochs: { blocks: event.skipped.length, done: event.result.epoch, total: event.epochs },
      };
    }
    case 'point': {
      const others = state.points.filter(({ skipped }) => skipped.length !== event.point.skipped.length);
      const points = [...others, event.point].toSorted((a, b) => a.skipped.length - b.skipped.length);
      const queued = state.queued?.filter((blocks) => blocks !== event.point.skipped.length);
      return without({ ...state, points, queued }, ['epochs']);
    }
    case 'progress': {
      const { type: _, ...progress } = event;
      return { ...state, progress };
    }
  }
}

function chosenIn({ rounds }: Pick<RunFindings, 'rounds'>): JobState['skipped'] {
  return rounds.flatMap((round) => (round.chosen === undefined ? [] : [round.chosen]));
}

function withRound(
  rounds: readonly SelectionRound[],
  index: number,
  change: (round: SelectionRound) => SelectionRound,
): SelectionRound[] {
  const length = Math.max(rounds.length, index + 1);
  return Array.from({ length }, (_, place) => {
    const round = rounds[place] ?? { losses: {} };
    return place === index ? change(round) : round;
  });
}

function without<Key extends keyof JobState>(state: JobState, keys: readonly Key[]): JobState {
  const rest = { ...state };
  for (const key of keys) delete rest[key];
  return rest;
}
