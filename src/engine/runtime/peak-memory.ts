/** The most memory that this process holds at once while it works. */
import { existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** onnxruntime blocks the thread that it runs on, so that another one has to look. */
const WATCH = `
  const { parentPort, workerData } = require('node:worker_threads');
  const peak = new Float64Array(workerData);
  const look = () => { peak[0] = Math.max(peak[0], process.memoryUsage.rss()); };
  look();
  setInterval(look, 2);
  parentPort.postMessage('watching');
`;

/** @returns what the work returns, and the largest resident memory meanwhile, in bytes */
export async function peakDuring<T>(work: () => Promise<T>): Promise<{ result: T; peakBytes: number }> {
  const shared = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
  const worker = new Worker(WATCH, { eval: true, workerData: shared });
  try {
    await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const before = peakSoFar();
    const result = await work();
    // What the system counted is exact, but known only where this work went beyond all before it.
    const counted = peakSoFar() > before ? peakSoFar() : 0;
    return { result, peakBytes: Math.max(new Float64Array(shared)[0]!, counted) };
  } finally {
    await worker.terminate();
  }
}

/** Largest resident memory of this process since it began, in bytes. */
export function peakSoFar(): number {
  // Both are in kibibytes. Linux hands the process that starts another one's peak on to it, but not in its own record.
  return Number(ownRecord() ?? process.resourceUsage().maxRSS) * 1024;
}

/** On Linux alone. */
const RECORD = '/proc/self/status';

function ownRecord(): string | undefined {
  if (!existsSync(RECORD)) return undefined;
  return /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(RECORD, 'utf8'))?.[1];
}
