/** Model folders in other programs: transformers.js, and the checker of Debian's python3-onnx. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../support/shared-folder.js';

export interface ElsewhereRun {
  logits: number[];
  tokens: number[];
}

/** @returns for each folder the reason as a text if transformers.js does not load or run the model */
export function runInTransformersJs(
  version: 3 | 4,
  folders: readonly string[],
  dtype: string,
  prompt: readonly number[],
  newTokens: number,
): (ElsewhereRun | string)[] {
  const script = path.join(repositoryRoot, 'test/runtimes/transformers-js.mjs');
  const settings = [`${version}`, dtype, prompt.join(','), `${newTokens}`];
  const output = execFileSync('node', [script, ...settings, ...folders], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const results = JSON.parse(output) as (ElsewhereRun | { error: string })[];
  return results.map((result) => ('error' in result ? plainReason(result.error) : result));
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

const PYTHON = '/usr/bin/python3';

export function hasChecker(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import onnx'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @returns undefined if the checker accepts the file, or its reason */
export function checkWithPython(file: string): string | undefined {
  try {
    execFileSync(PYTHON, ['-c', 'import sys, onnx; onnx.checker.check_model(sys.argv[1])', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  const lines = text.split('\n').filter((line) => /error|exception|no op|failed/i.test(line));
  return (lines.at(-1) ?? text.trim().split('\n').at(-1) ?? '').trim().slice(0, 200);
}
