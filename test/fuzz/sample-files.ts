/** The sample that undamaged inputs are made of. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Set by scripts/fuzz.mjs, since this is run from a bundle; tests run from the project's root. */
const root = process.env.HOPSCOTCH_ROOT ?? process.cwd();

/** A file of the project. */
export function rootFile(...parts: string[]): string {
  return path.join(root, ...parts);
}

export function sampleFile(...parts: string[]): string {
  return rootFile('assets', 'sample', ...parts);
}

export function sampleJson(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(sampleFile(name), 'utf8')) as Record<string, unknown>;
}

/** The beginning of a task's file: enough rows to be a task. */
export function sampleRows(): { prompt: string; response: string }[] {
  const lines = readFileSync(sampleFile('tasks', 'arithmetic.jsonl'), 'utf8').split('\n', 12);
  return lines.map((line) => JSON.parse(line) as { prompt: string; response: string });
}
