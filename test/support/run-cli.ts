/** Runs the built command line as a user does, with a home folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckpointState } from '../../src/engine/calibrate/checkpoint.js';
import { repositoryRoot } from './shared-folder.js';
import { temporaryFolder } from './temporary-folder.js';

const MAIN = path.join(repositoryRoot, 'dist', 'cli', 'main.js');

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningCli {
  process: ChildProcess;
  ended: Promise<CliResult>;
}

export class Cli {
  /** HOPSCOTCH_HOME, and whatever else the tests write. */
  readonly folder = temporaryFolder();

  start(...args: string[]): RunningCli {
    if (!existsSync(MAIN)) throw new Error("Build first: 'npm run build' ('npm test' does).");
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, HOPSCOTCH_HOME: this.path('home'), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (text: Buffer) => void (output.stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => void (output.stderr += text.toString()));
    const ended = new Promise<CliResult>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, ...output }));
    });
    return { process: child, ended };
  }

  async run(...args: string[]): Promise<CliResult> {
    return await this.start(...args).ended;
  }

  /** The JSON that a command prints. @throws Error if it fails */
  async json<Result>(...args: string[]): Promise<Result> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    if (code !== 0) throw new Error(`hopscotch ${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as Result;
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  /** Names of the runs so far, the oldest first. */
  runs(): string[] {
    const folder = this.path('home', 'runs');
    return existsSync(folder) ? readdirSync(folder).toSorted() : [];
  }

  checkpointFile(run: string): string {
    return this.path('home', 'runs', run, 'checkpoint.json');
  }

  checkpoint(run: string): CheckpointState {
    return JSON.parse(readFileSync(this.checkpointFile(run), 'utf8')) as CheckpointState;
  }

  /** Waits until the newest run's checkpoint fulfils a condition. */
  async untilCheckpoint(condition: (state: CheckpointState) => boolean, newerThan: number): Promise<string> {
    for (;;) {
      const runs = this.runs();
      const run = runs.at(-1);
      if (run !== undefined && runs.length > newerThan && existsSync(this.checkpointFile(run))) {
        if (condition(this.checkpoint(run))) return run;
      }
      await sleep(20);
    }
  }
}

/** Settings of runs that take seconds: two of twelve attention blocks on 16 rows. */
export const QUICK = [
  '--responses=file',
  '--strategy=exhaustive',
  '--calibration-range=0..15',
  '--heldout-range=400..407',
  '--batch-rows=8',
  '--budget=2',
  '--epochs=2',
  '--answer-rows=4',
  '--speed-rounds=1',
];
