/** Parquet files, read in a thread of its own that can be ended: damaged ones may have no end. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { UserError } from '../../schema/errors.js';
import { plainWords } from '../../schema/plain-words.js';
import type { RowsRead } from './raw-dataset.js';
import { rowValues } from './raw-values.js';
import { fileSize } from './text-file.js';

export interface ParquetQuestion {
  path: string;
  maxRows: number;
}
export type ParquetAnswer = { read: RowsRead } | { problem: string };

/** Seconds that a file may take, and bytes for which another is allowed: a tenth of what a slow machine reads. */
const SECONDS = 15;
const BYTES_A_SECOND = 2e6;
/** MiB of values that a file may become. */
const HEAP = 3072;

/**
 * Reads up to `maxRows` rows, numbered from 1.
 * @throws UserError if the file is not Parquet, uses something that cannot be read, or asks for too much time or memory
 */
export async function readParquet(path: string, maxRows: number): Promise<RowsRead> {
  const seconds = Math.ceil(SECONDS + (await fileSize(path)) / BYTES_A_SECOND);
  const answer = await ask({ path, maxRows }, seconds);
  if ('problem' in answer) {
    throw new UserError(
      `${path} cannot be read as Parquet: ${answer.problem}; get it again, or save it as CSV or JSONL.`,
    );
  }
  const { rows, ...rest } = answer.read;
  // On their way between threads objects get a prototype, which names of columns must not reach.
  return {
    ...rest,
    rows: rows.map(({ line, values }) => ({ line, values: rowValues(Object.entries(values)) })),
  };
}

async function ask(question: ParquetQuestion, seconds: number): Promise<ParquetAnswer> {
  const worker = new Worker(workerFile(), {
    workerData: question,
    resourceLimits: { maxOldGenerationSizeMb: HEAP },
    stderr: true,
  });
  try {
    return await new Promise((resolve) => {
      const fail = (problem: string) => resolve({ problem });
      const timer = setTimeout(() => fail(`it did not end within ${seconds} seconds`), seconds * 1000);
      worker.once('message', resolve);
      worker.once('error', (error: NodeJS.ErrnoException) =>
        fail(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? `it takes more than ${HEAP / 1024} GiB of memory`
            : plainWords(error),
        ),
      );
      worker.once('exit', () => {
        clearTimeout(timer);
        fail('it is damaged');
      });
    });
  } finally {
    await worker.terminate();
  }
}

/** Beside this module; in the app's bundle, where modules are gathered in a folder, above it. */
function workerFile(): string {
  const [beside, above] = ['./parquet-worker.js', '../parquet-worker.js'].map((file) =>
    fileURLToPath(new URL(file, import.meta.url)),
  );
  return existsSync(beside!) ? beside! : above!;
}
