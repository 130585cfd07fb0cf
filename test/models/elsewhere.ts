/** Model folders in programs of Python: onnxruntime-genai, and the checker of Debian's python3-onnx. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../support/shared-folder.js';
import type { ElsewhereRun } from './transformers-js.js';

/** @param prompts token ids, or messages of a user. @returns for each folder a run for each prompt, or why it does not run */
export function runInGenai(
  python: string,
  folders: readonly string[],
  prompts: readonly (string | readonly number[])[],
  newTokens: number,
): (Omit<ElsewhereRun, 'logits'>[] | string)[] {
  const script = path.join(repositoryRoot, 'test/runtimes/genai.py');
  const request = JSON.stringify({ folders, prompts, newTokens });
  const output = execFileSync(python, [script, request], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const results = JSON.parse(output) as (Omit<ElsewhereRun, 'logits'>[] | { error: string })[];
  return results.map((result) => ('error' in result ? result.error : result));
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
