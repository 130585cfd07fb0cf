import { defineConfig } from 'vitest/config';

/** A file for the results as JSON, beside what the terminal shows; .ci/run counts from it. */
const report = process.env.HOPSCOTCH_TEST_REPORT;

/** Tests that drive the real app; `npm run test:app` builds it first and gives them a screen. */
export default defineConfig({
  test: {
    include: ['test/app/**/*.test.ts'],
    pool: 'forks',
    // For tests that load onnxruntime themselves; the engine says so by itself.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // The calibrations would only slow each other down.
    fileParallelism: false,
    testTimeout: 300_000,
    // What the app remembers may come seconds after what it shows.
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 120_000,
    reporters: report ? ['default', 'json'] : ['default'],
    ...(report ? { outputFile: { json: report } } : {}),
  },
});
