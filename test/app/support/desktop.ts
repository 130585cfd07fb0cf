/** A desktop that shows notifications: a message bus of its own with dunst on it. */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Notification {
  title: string;
  body: string;
}

export interface Desktop {
  /** What a program needs in its environment to find the bus. */
  env: Record<string, string>;
  /** How many stand on the screen. */
  shown(): Promise<number>;
  /** Clicks the newest one. */
  click(): Promise<void>;
  /** Takes them off the screen and tells what they said. */
  clear(): Promise<Notification[]>;
  stop(): void;
}

export const NO_DESKTOP =
  'there is no desktop here: install dbus-daemon, dbus-bin, dunst and libnotify4, or run scripts/prepare-electron.sh';

export function hasDesktop(): boolean {
  const programs = ['dbus-daemon', 'dunst', 'dunstctl', 'dbus-send'];
  return (
    process.platform === 'linux' &&
    process.env.DISPLAY !== undefined &&
    programs.every((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0)
  );
}

/** @throws Error if dunst does not come up */
export async function startDesktop(): Promise<Desktop> {
  const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [address] = (await once(createInterface(bus.stdout), 'line')) as [string];
  const env = { DBUS_SESSION_BUS_ADDRESS: address };
  const daemon = spawn('dunst', { env: { ...process.env, ...env }, stdio: 'ignore' });
  const control = async (...args: string[]) =>
    (await run('dunstctl', args, { env: { ...process.env, ...env } })).stdout;
  await untilAnswered(() => control('is-paused'));
  return {
    env,
    shown: async () => Number(await control('count', 'displayed')),
    click: async () => void (await control('action', '0')),
    clear: async () => {
      await control('close-all');
      return historyOf(await control('history'));
    },
    stop: () => endAll(daemon, bus),
  };
}

async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(100);
    }
  }
}

function historyOf(json: string): Notification[] {
  type Entry = Record<'summary' | 'body', { data: string }>;
  const { data } = JSON.parse(json) as { data: Entry[][] };
  return data.flat().map(({ summary, body }) => ({ title: summary.data, body: body.data }));
}

function endAll(...processes: ChildProcess[]): void {
  for (const each of processes) each.kill();
}
