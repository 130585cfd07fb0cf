/** Peak memory is seen from beside the work. */
import { expect, it } from 'vitest';
import { peakDuring } from './peak-memory.js';

it('counts memory that is in use only for a moment while the thread is busy', async () => {
  const before = process.memoryUsage.rss();
  const { result, peakBytes } = await peakDuring(async () => {
    // Filled, because the system gives memory only when it is written to.
    const bytes = new Uint8Array(200e6).fill(1);
    return bytes[7];
  });
  expect(result).toBe(1);
  expect(peakBytes - before).toBeGreaterThan(180e6);
  expect(peakBytes - before).toBeLessThan(600e6);
});
