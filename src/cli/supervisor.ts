/**
 * Runs a command in a process of its own, so that Ctrl-C and SIGTERM end it whatever it is doing: onnxruntime, a regular
 * expression or a parser may hold that process, but never this one.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import pc from 'picocolors';
import { EXIT_CODES } from './exit-codes.js';

/** Commands that compute; the others end at once by themselves. */
const SUPERVISED = new Set(['slim', 'evaluate', 'compare', 'export', 'report', 'import', 'inspect']);
/** In the environment of the process that does the work. */
const MARK = 'HOPSCOTCH_SUPERVISED';
/** Milliseconds in which the work may end by itself once it is asked to; a second after that everybody is gone. */
const GRACE = 1200;

/** What the process that works is told, and what it tells. */
export type ToWorker = 'stop';
export interface FromWorker {
  /** The run that goes on if the process is ended. */
  run: string;
}

export function needsSupervisor(args: readonly string[]): boolean {
  return (
    SUPERVISED.has(args[0] ?? '') && !isSupervised() && !args.some((arg) => arg === '--help' || arg === '-h')
  );
}

export function isSupervised(): boolean {
  return process.env[MARK] === '1' && process.send !== undefined;
}

/** @returns the exit code */
export async function supervise(program: string, args: readonly string[]): Promise<number> {
  const worker = spawn(process.execPath, [...process.execArgv, program, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [MARK]: '1' },
  });
  let run: string | undefined;
  worker.on('message', (told: FromWorker) => (run = told.run));
  const stopper = new Stopper(worker);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopper.stop());
  const ended = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', (code, signal) => resolve({ code, signal }));
    },
  );
  if (stopper.wasForced) {
    process.stderr.write(`${stoppedText(run)}\n`);
    return EXIT_CODES.stopped;
  }
  return ended.code !== null && ended.code < CRASHED
    ? ended.code
    : endedText(ended.code ?? ended.signal!, run);
}

/** Exit codes from here on are the system's: 128 and the number of a signal; 130 is ours. */
const CRASHED = 131;

class Stopper {
  readonly #worker: ChildProcess;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the process had to be killed. */
  wasForced = false;

  constructor(worker: ChildProcess) {
    this.#worker = worker;
  }

  /** The first time asks, and kills a little later; the second time kills at once. */
  stop(): void {
    if (this.#timer !== undefined) {
      this.#kill();
      return;
    }
    process.stderr.write('\nStopping ...\n');
    if (this.#worker.connected) this.#worker.send('stop' satisfies ToWorker);
    this.#timer = setTimeout(() => this.#kill(), GRACE);
    this.#timer.unref();
  }

  #kill(): void {
    this.wasForced = this.#worker.exitCode === null && this.#worker.signalCode === null;
    this.#worker.kill('SIGKILL');
  }
}

/** What can be gone on with after a stop. */
export function stoppedText(run: string | undefined): string {
  return run === undefined
    ? 'Stopped.'
    : `Stopped. Nothing is lost: 'hopscotch slim --resume ${run}' goes on from here.`;
}

/** The process ended by itself in a way that no program chooses. @returns the exit code */
function endedText(how: number | string, run: string | undefined): number {
  const goOn =
    run === undefined ? '' : `; 'hopscotch slim --resume ${run}' goes on from the last saved state`;
  process.stderr.write(
    `${pc.red('hopscotch:')} the process that did the work was ended from outside or ran out of memory (${how}); close other programs or give --memory a limit${goOn}.\n`,
  );
  return EXIT_CODES.userError;
}
