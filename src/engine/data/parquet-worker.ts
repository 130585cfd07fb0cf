/** A thread that reads one Parquet file and says what it found. */
import { parentPort, workerData } from 'node:worker_threads';
import { plainWords } from '../../schema/plain-words.js';
import { parquetRows } from './parquet-rows.js';
import type { ParquetAnswer, ParquetQuestion } from './read-parquet.js';

const { path, maxRows } = workerData as ParquetQuestion;
const answer = await parquetRows(path, maxRows).then(
  (read): ParquetAnswer => ({ read }),
  (error: unknown): ParquetAnswer => ({ problem: plainWords(error) }),
);
parentPort!.postMessage(answer);
