/**
 * What may differ from one Node to the next: files, streams, signals, processes, hashes, text decoders, compression, and
 * onnxruntime's binding, through the command line and beside it. The rest is arithmetic, which `npm test` proves on the
 * oldest Node; run with another, it proves that there, too.
 */
import { defineConfig } from 'vitest/config';
import whole from './vitest.config.js';

export default defineConfig({
  ...whole,
  test: {
    ...whole.test,
    include: [
      'src/{cli,engine-process,main,schema,shared}/**/*.test.ts',
      'src/engine/{data,generate,import,onnx,runs,runtime}/**/*.test.ts',
      'src/engine/export/{companions,data-files,export-model}.test.ts',
      'src/engine/jobs/{measure,preview-task}.test.ts',
      'test/*.test.ts',
      'test/cli/stop-and-resume.test.ts',
      'test/runtimes/{offline,transformers-js}.test.ts',
    ],
  },
});
