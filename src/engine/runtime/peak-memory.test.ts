/** Peak memory is seen from beside the work. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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

it('leaves out what the process took that started this one', () => {
  const held = new Uint8Array(600e6).fill(1);
  const source = fileURLToPath(new URL('../../../dist/engine/runtime/peak-memory.js', import.meta.url));
  const script = `import { peakSoFar } from ${JSON.stringify(source)}; console.log(peakSoFar());`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(held[7]).toBe(1);
  expect(Number(stdout)).toBeGreaterThan(2e7);
  expect(Number(stdout)).toBeLessThan(3e8);
});
