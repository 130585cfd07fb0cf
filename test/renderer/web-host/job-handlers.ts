import { afterJobEvent, idleJob, startingJob } from '../../../src/shared/job-state.js';
import type { CheckedInput } from '../../../src/shared/contract.js';
import type { JobState } from '../../../src/shared/job.js';
import { jobEvents, report } from './recorded.js';
import { recordedRun, withPoints, type RunBook } from './run-handlers.js';
import { RUN } from './places.js';
import type { SceneOptions } from './scenes.js';
import { StandInFailure, type Emit, type Handlers } from './handlers.js';

type Names = `job.${string}` | `providers.${string}`;

/** How much of the recording lies behind, by scene. */
const PLAYED: Partial<Record<SceneOptions['scene'], number>> = {
  selecting: 0.3,
  training: 0.925,
  stopped: 0.93,
  'stopped-early': 0.04,
  crashed: 0.75,
  impossible: 0.6,
};

/** What no test looks at. */
const others = { beta2: 0.9, restarts: 3, pull: 0, distillation: 5 };

export function jobHandlers(
  options: SceneOptions,
  emit: Emit,
  book: RunBook,
): Pick<Handlers, Extract<keyof Handlers, Names>> {
  const player = new JobPlayer(options, emit, book);
  return {
    'job.options': () => ({
      defaults: {
        budget: { kind: 'blocks', blocks: 4 },
        kind: 'attention',
        strategy: 'exhaustive',
        scales: 'channel+gain',
        selectionLearningRate: 0.01,
        trainPoints: 'all',
        responses: 'own',
        batchRows: 32,
        order: 'length-buckets',
        calibrationTokens: 16_000,
        heldoutTokens: 8_000,
        maxTokens: 512,
        overlong: 'drop',
        maxNewTokens: 256,
        answerRows: 100,
        seed: 0,
        provider: 'auto',
      },
      training: {
        scalar: { epochs: 10, learningRate: 0.003, schedule: 'constant', ...others },
        channel: { epochs: 8, learningRate: 0.06, schedule: 'linear', ...others },
        'channel+offset': { epochs: 8, learningRate: 0.06, schedule: 'linear', ...others },
        'channel+gain': { epochs: 8, learningRate: 0.06, schedule: 'linear', ...others },
        'channel+gain+offset': { epochs: 8, learningRate: 0.06, schedule: 'linear', ...others },
      },
      strategies: [
        {
          name: 'exhaustive',
          description: 'trains the scales of every candidate in every round, as published',
        },
        { name: 'cosine', description: 'compares how little blocks turn the stream' },
        { name: 'random', description: 'draws blocks by lot, to compare with' },
      ],
      presets: [
        { name: 'quick', choices: { calibrationTokens: 4000, heldoutTokens: 3000 } },
        { name: 'balanced', choices: {} },
        { name: 'thorough', choices: { calibrationTokens: 48_000, heldoutTokens: 24_000 } },
      ],
    }),
    'providers.list': () => [
      { name: 'cpu', label: 'Processor', device: 'AMD Ryzen 7 7840U', works: true },
      { name: 'webgpu', label: 'Graphics card (WebGPU)', works: false, message: 'no adapter found' },
    ],
    'job.train': ({ run, blocks }) => player.train(run, blocks),
    'job.stopEstimate': () => undefined,
    'job.estimate': async () => {
      await new Promise((resolve) => setTimeout(resolve, options.speed === 0 ? 0 : 400));
      return options.scene === 'too-large'
        ? {
            fits: false,
            reason:
              'It needs about 41.0 GB of memory and 12.0 GB are free. Choose a smaller batch or shorter rows, or set a memory limit (advanced settings): the model then runs a few layers at a time.',
            parts: { answers: 0, calibration: 0, comparison: 0 },
            steps: 0,
            stepSeconds: 0,
            memoryBytes: 41_000_000_000,
            availableBytes: 12_000_000_000,
          }
        : {
            fits: true,
            seconds: 407,
            parts: { answers: 4, calibration: 392, comparison: 11 },
            steps: 387,
            stepSeconds: 1.01,
            memoryBytes: 1_070_000_000,
            availableBytes: 12_000_000_000,
            device: 'Runs on the CPU: WebGPU does not start (no adapter found).',
          };
    },
    'job.start': (settings) => player.begin(settings),
    'job.resume': () => player.resume(),
    'job.stop': () => player.stop(),
    'job.state': () => player.state,
  };
}

/** Plays the recorded job. */
class JobPlayer {
  state: JobState = idleJob();
  #next = 0;
  readonly #emit: Emit;
  readonly #speed: number;
  readonly #book: RunBook;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ scene, speed }: SceneOptions, emit: Emit, book: RunBook) {
    this.#emit = emit;
    this.#book = book;
    this.#speed = speed;
    const played = PLAYED[scene];
    if (played === undefined) return;
    const run = recordedRun(scene === 'selecting' || scene === 'training' ? 'running' : 'stopped');
    book.put(run);
    this.state = { ...startingJob(run, Date.now() - 200_000), status: 'running' };
    const end = jobEvents.at(-1)!.at * played;
    while (jobEvents[this.#next]!.at < end)
      this.state = afterJobEvent(this.state, jobEvents[this.#next++]!.event);
    if (scene === 'stopped' || scene === 'stopped-early') this.state = { ...this.state, status: 'stopped' };
    else if (scene === 'crashed')
      this.state = {
        ...this.state,
        status: 'crashed',
        message: 'The engine’s process ended (SIGKILL): the system may have run out of memory.',
      };
    else if (scene === 'impossible')
      this.state = {
        ...this.state,
        status: 'impossible',
        message:
          'No block can be skipped within a loss of 0.0 % of the held-out quality; allow a larger loss, or ask for a number of blocks to see what it costs.',
      };
    else if (speed > 0) this.#schedule();
  }

  begin(settings: CheckedInput<'job.start'>) {
    if (this.state.status === 'running')
      throw new StandInFailure('user', 'A job runs already; stop it first.');
    const run = recordedRun('running');
    run.settings = { ...run.settings, ...settings };
    this.#book.put(run);
    this.#next = 0;
    this.state = startingJob(run, Date.now());
    this.#emit('job.changed', this.state);
    setTimeout(() => this.#run(), 50);
    return run;
  }

  /** Each point is there after a moment. */
  train(id: string, blocks: readonly number[]) {
    const run = this.#book.find(id);
    const { queued } = this.state;
    if (this.state.status === 'running' && queued) {
      this.#change({ queued: [...queued, ...blocks] });
      return run;
    }
    this.state = { ...startingJob(run, Date.now()), status: 'running', queued: [...blocks] };
    this.#emit('job.changed', this.state);
    if (this.#speed > 0) this.#trainNext(id);
    return run;
  }

  #trainNext(id: string): void {
    const [blocks] = this.state.queued ?? [];
    if (blocks === undefined) return;
    this.#timer = setTimeout(() => {
      const run = this.#book.find(id);
      const trained = [...run.curve.map((point) => point.blocks), blocks];
      this.#book.put(withPoints(run, trained));
      const point = report.points.find(({ skipped }) => skipped.length === blocks)!;
      this.state = afterJobEvent(this.state, { type: 'point', point });
      this.#emit('job.event', { run: id, event: { type: 'point', point } });
      if (this.state.queued?.length) return this.#trainNext(id);
      this.#emit('job.finished', { run, report, point: blocks });
      this.#change({ status: 'finished' });
    }, 20_000 / this.#speed);
  }

  resume() {
    setTimeout(() => this.#run(), 50);
    return recordedRun('running');
  }

  stop(): undefined {
    clearTimeout(this.#timer);
    this.#change({ status: 'stopping' });
    setTimeout(() => {
      this.#book.put(recordedRun('stopped'));
      this.#change({ status: 'stopped', run: recordedRun('stopped') });
    }, 100);
  }

  #run(): void {
    this.#change({ status: 'running' });
    this.#schedule();
  }

  #schedule(): void {
    const upcoming = jobEvents[this.#next];
    if (!upcoming) return this.#finish();
    const before = jobEvents[this.#next - 1]?.at ?? 0;
    this.#timer = setTimeout(
      () => {
        this.#next += 1;
        this.state = afterJobEvent(this.state, upcoming.event);
        this.#emit('job.event', { run: RUN, event: upcoming.event });
        this.#schedule();
      },
      this.#speed === 0 ? 1 : (upcoming.at - before) / this.#speed,
    );
  }

  #finish(): void {
    const run = recordedRun('finished');
    this.#book.put(run);
    this.#emit('job.finished', { run, report });
    this.#change({ status: 'finished', run, endedAt: Date.now() });
  }

  #change(change: Partial<JobState>): void {
    this.state = { ...this.state, ...change };
    this.#emit('job.changed', this.state);
  }
}
