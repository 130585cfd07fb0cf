/** Speed and memory of two or more models, measured in turn within one run, each in a process of its own. */
import type { SpeedFigures } from '../../../schema/report.js';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UserError, throwIfCancelled } from '../../../schema/errors.js';
import type { RunOptions } from '../../runtime/session.js';
import { ratioEstimate } from '../paired.js';

export type TimingRequest =
  | { kind: 'open'; modelPath: string; runOptions: RunOptions }
  | { kind: 'measure'; prompts: number[][]; newTokens: number };

export type TimingReply =
  | { kind: 'opened' }
  | {
      kind: 'measured';
      promptTokens: number;
      promptSeconds: number;
      newTokens: number;
      newSeconds: number;
      peakBytes: number;
    }
  | { kind: 'failed'; message: string };

type Measurement = Extract<TimingReply, { kind: 'measured' }>;

export interface SpeedOptions {
  /** Token ids of one prompt; run one at a time, as a user does. */
  prompts: readonly (readonly number[])[];
  newTokens: number;
  rounds: number;
  runOptions: RunOptions;
  signal?: AbortSignal;
  /** How a process that times a model is started; default: timing-process.js in another Node. */
  startProcess?: () => Promise<TimingChannel>;
  /** Called after each round, the first of which only warms up. */
  onRound?: (done: number, total: number) => void;
}

/** The way to a process that times a model. */
export interface TimingChannel {
  /** @returns undefined if the process has ended */
  ask(request: TimingRequest): Promise<TimingReply | undefined>;
  end(): void;
}

const PROCESS_FILE = fileURLToPath(new URL('./timing-process.js', import.meta.url));

/**
 * @param modelPaths ONNX files; measured A B A B ... prompt by prompt, so that the machine's ups and downs hit all alike
 * @returns one entry a model, or undefined where the code runs unbuilt and has no file to start a process from
 * @throws UserError if a model cannot be run
 */
export async function measureSpeed(
  modelPaths: readonly string[],
  options: SpeedOptions,
): Promise<SpeedFigures[] | undefined> {
  if (!options.startProcess && !existsSync(PROCESS_FILE)) return undefined;
  const start = options.startProcess ?? (() => Promise.resolve(new NodeChannel()));
  const processes: TimedProcess[] = [];
  try {
    for (const modelPath of modelPaths) {
      const started = new TimedProcess(await start());
      processes.push(started);
      await started.ask({ kind: 'open', modelPath, runOptions: options.runOptions });
    }
    /** By model, then by round, then by prompt. */
    const measurements: Measurement[][][] = modelPaths.map(() => []);
    // Round 0 warms up.
    for (let round = 0; round <= options.rounds; round += 1) {
      const ofRound: Measurement[][] = modelPaths.map(() => []);
      for (const prompt of options.prompts) {
        for (const [index, measured] of processes.entries()) {
          throwIfCancelled(options.signal);
          ofRound[index]!.push(await measured.measure(prompt, options.newTokens));
        }
      }
      if (round > 0) for (const [index, measured] of ofRound.entries()) measurements[index]!.push(measured);
      options.onRound?.(round + 1, options.rounds + 1);
    }
    const first = measurements[0]!.flat();
    return measurements.map((rounds, index) => ({
      ...summarise(rounds.map(totalOf)),
      ...(index > 0 && { against: against(first, rounds.flat()) }),
    }));
  } finally {
    for (const measured of processes) measured.end();
  }
}

function summarise(rounds: readonly Measurement[]): SpeedFigures {
  return {
    promptTokensPerSecond: median(rounds.map((round) => round.promptTokens / round.promptSeconds)),
    newTokensPerSecond: median(rounds.map((round) => round.newTokens / round.newSeconds)),
    peakBytes: Math.max(...rounds.map((round) => round.peakBytes)),
    rounds: rounds.length,
  };
}

function totalOf(measurements: readonly Measurement[]): Measurement {
  const sum = (pick: (measurement: Measurement) => number) =>
    measurements.reduce((total, measurement) => total + pick(measurement), 0);
  return {
    kind: 'measured',
    promptTokens: sum(({ promptTokens }) => promptTokens),
    promptSeconds: sum(({ promptSeconds }) => promptSeconds),
    newTokens: sum(({ newTokens }) => newTokens),
    newSeconds: sum(({ newSeconds }) => newSeconds),
    peakBytes: Math.max(...measurements.map(({ peakBytes }) => peakBytes)),
  };
}

/** @returns undefined where there are too few prompts for an interval */
function against(first: readonly Measurement[], other: readonly Measurement[]): SpeedFigures['against'] {
  const times = (seconds: 'promptSeconds' | 'newSeconds') =>
    ratioEstimate(first.map((measurement, place) => measurement[seconds] / other[place]![seconds]));
  const [prompt, answer] = [times('promptSeconds'), times('newSeconds')];
  return prompt && answer && { prompt, answer };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Thrown where the process that measures was killed: nothing else is lost by that. */
export class MeasuringEndedError extends UserError {}

class TimedProcess {
  readonly #channel: TimingChannel;

  constructor(channel: TimingChannel) {
    this.#channel = channel;
  }

  async measure(prompt: readonly number[], newTokens: number): Promise<Measurement> {
    const reply = await this.ask({ kind: 'measure', prompts: [[...prompt]], newTokens });
    if (reply.kind !== 'measured') throw new Error(`Asked to measure, the process answered '${reply.kind}'`);
    return reply;
  }

  async ask(request: TimingRequest): Promise<TimingReply> {
    const reply = await this.#channel.ask(request);
    if (!reply) {
      throw new MeasuringEndedError(
        'Speed was not measured: the process that measures it ended by itself; the machine may be out of memory.',
      );
    }
    if (reply.kind === 'failed') throw new UserError(`The model could not be measured: ${reply.message}.`);
    return reply;
  }

  end(): void {
    this.#channel.end();
  }
}

/** timing-process.js in another Node, a line of JSON each way. */
class NodeChannel implements TimingChannel {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor() {
    this.#child = spawn(process.execPath, [PROCESS_FILE], { stdio: 'pipe' });
    this.#child.stderr.resume();
    this.#reader = createInterface({ input: this.#child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async ask(request: TimingRequest): Promise<TimingReply | undefined> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    return done ? undefined : (JSON.parse(value) as TimingReply);
  }

  end(): void {
    this.#reader.close();
    this.#child.kill();
  }
}
