/** Model folders in transformers.js, which brings its own onnxruntime and so runs in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { TransformersJsFile } from '../../src/engine/export/snippets.js';
import { repositoryRoot } from '../support/shared-folder.js';

export interface ElsewhereRun {
  /** Token ids of the prompt. */
  prompt: number[];
  /** That follow the prompt. */
  logits: number[];
  /** The new tokens, the one that ends a text included. */
  tokens: number[];
}

/** A folder, and which of its ONNX files. */
export interface ElsewhereModel extends TransformersJsFile {
  folder: string;
}

type Result = ElsewhereRun[] | { error: string };

/** Kept for all models of a test file: to start one takes longer than most models. */
const processes = new Map<3 | 4, ChildProcess>();

/**
 * One call at a time for each version.
 * @param prompts token ids, or messages of a user
 * @returns for each model a run for each prompt, or the reason as a text if transformers.js does not load or run it
 * @throws Error if its process ends meanwhile
 */
export async function runInTransformersJs(
  version: 3 | 4,
  models: readonly ElsewhereModel[],
  prompts: readonly (string | readonly number[])[],
  newTokens: number,
): Promise<(ElsewhereRun[] | string)[]> {
  const process = processes.get(version) ?? start(version);
  const results = await new Promise<Result[]>((resolve, reject) => {
    const onEnd = (code: number | null) =>
      reject(new Error(`transformers.js ${version} ended with ${code}.`));
    process.once('exit', onEnd);
    process.once('message', (message) => {
      process.off('exit', onEnd);
      resolve(message as Result[]);
    });
    process.send({ models, prompts, newTokens }, (error) => error && reject(error));
  });
  return results.map((result) => ('error' in result ? plainReason(result.error) : result));
}

function start(version: 3 | 4): ChildProcess {
  const script = path.join(repositoryRoot, 'test/runtimes/transformers-js.mjs');
  const process = fork(script, [`${version}`], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  processes.set(version, process);
  process.once('exit', () => processes.delete(version));
  // It ends with the test's process, which does not wait for it.
  process.unref();
  process.channel?.unref();
  return process;
}

/** Without the places in onnxruntime's sources and in this computer's folders, on one line, whole sentences of a long one. */
function plainReason(message: string): string {
  const reason = message
    .replaceAll(/\/onnxruntime_src\S+:\d+ .*?\)( \[with .*?\])? (?=\S)/g, '')
    .replaceAll(/\/\S*\/(?=[^/\s]+\.onnx)/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const end = reason.length > 250 ? reason.lastIndexOf('. ', 250) + 1 : 0;
  return reason.slice(0, end || 250);
}
