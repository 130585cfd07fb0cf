import path from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

/** A file for the results as JSON, beside what the terminal shows; .ci/run counts from it. */
const report = process.env.HOPSCOTCH_TEST_REPORT;

/** Tests of the page: its parts in a made-up DOM, all of it in Chromium. */
export default defineConfig({
  plugins: [
    svelte({ configFile: path.join(import.meta.dirname, 'svelte.config.js') }),
    svelteTesting({ autoCleanup: false }),
  ],
  test: {
    reporters: report ? ['default', 'json'] : ['default'],
    ...(report ? { outputFile: { json: report } } : {}),
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['src/renderer/**/*.test.ts'],
          environment: 'happy-dom',
          setupFiles: ['test/renderer/support/setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'chromium',
          include: ['test/renderer/**/*.test.ts'],
          environment: 'node',
          fileParallelism: false,
          testTimeout: 60_000,
          expect: { poll: { timeout: 10_000 } },
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
