/** What a command takes, over all of its processes: time, processor time, memory. Needs Linux, which has the figures in /proc. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS_A_SECOND = 100;

/**
 * @returns {Promise<{ stdout: string, seconds: number, processorSeconds: number, peakBytes: number }>} the peak is that of
 *   the largest process, with what it maps
 * @throws Error with the last line of stderr if it fails
 */
export async function measuredCommand(program, args) {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const processes = new Map();
  const watch = setInterval(() => note(child.pid, processes), 50);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watch);
  const seconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1));
  const figures = [...processes.values()];
  return {
    stdout,
    seconds,
    processorSeconds: figures.reduce((sum, { processorSeconds }) => sum + processorSeconds, 0),
    peakBytes: Math.max(...figures.map(({ peakBytes }) => peakBytes)),
  };
}

/** Figures so far of a process and of those that it started, by their ids. */
function note(pid, processes) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // The second field is the program's name in brackets, which may hold spaces.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    processes.set(pid, {
      // One that has just ended has no memory any more.
      peakBytes:
        1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) || (processes.get(pid)?.peakBytes ?? 0),
      processorSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    });
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    for (const id of children === '' ? [] : children.split(' ')) note(Number(id), processes);
  } catch {
    // It has ended.
  }
}
