/** Model folders in other programs: transformers.js, onnxruntime-genai, and the checker of Debian's python3-onnx. */
import { execFileSync } from 'node:child_process';
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

/**
 * @param prompts token ids, or messages of a user
 * @returns for each model a run for each prompt, or the reason as a text if transformers.js does not load or run it
 */
export function runInTransformersJs(
  version: 3 | 4,
  models: readonly ElsewhereModel[],
  prompts: readonly (string | readonly number[])[],
  newTokens: number,
): (ElsewhereRun[] | string)[] {
  const script = path.join(repositoryRoot, 'test/runtimes/transformers-js.mjs');
  const request = JSON.stringify({ models, prompts, newTokens });
  const output = execFileSync('node', [script, `${version}`, request], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  const results = JSON.parse(output) as (ElsewhereRun[] | { error: string })[];
  return results.map((result) => ('error' in result ? plainReason(result.error) : result));
}

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
