import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A file for the results as JSON, beside what the terminal shows; .ci/run counts from it. */
const report = process.env.HOPSCOTCH_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // These need a browser or Electron and have configurations of their own.
    exclude: ['src/renderer/**', 'test/renderer/**', 'test/app/**'],
    pool: 'forks',
    // One process a core: most of a test's time is onnxruntime's.
    maxWorkers: availableParallelism(),
    // For tests that load onnxruntime themselves; the engine says so by itself.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: report ? ['default', 'json'] : ['default'],
    ...(report ? { outputFile: { json: report } } : {}),
  },
});
