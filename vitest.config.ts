import { availableParallelism } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { SlowFirst } from './test/support/slow-first.js';

/** A file for the results as JSON, beside what the terminal shows; .ci/run counts from it. */
const report = process.env.HOPSCOTCH_TEST_REPORT;

/** Threads are started from what `npm run build` made: Node reads no TypeScript. */
const builtWorkers: Plugin = {
  name: 'built-workers',
  enforce: 'pre',
  transform: (code, id) =>
    id.endsWith('/read-parquet.ts') ? code.replaceAll(/'\.{1,2}(\/parquet-worker\.js)'/g, built) : undefined,
};

function built(_: string, file: string): string {
  return JSON.stringify(pathToFileURL(path.join(import.meta.dirname, 'dist/engine/data', file)).href);
}

export default defineConfig({
  plugins: [builtWorkers],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // These need a browser or Electron and have configurations of their own.
    exclude: ['src/renderer/**', 'test/renderer/**', 'test/app/**'],
    pool: 'forks',
    // One process a core: most of a test's time is onnxruntime's.
    maxWorkers: availableParallelism(),
    sequence: { sequencer: SlowFirst },
    // For tests that load onnxruntime themselves; the engine says so by itself.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: report ? ['default', 'json'] : ['default'],
    ...(report ? { outputFile: { json: report } } : {}),
  },
});
