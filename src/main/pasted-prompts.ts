/** Pasted prompts as a dataset file, so that runs can come back to them. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../schema/errors.js';

/**
 * JSON lines stay as they are; otherwise a prompt a paragraph where blank lines stand between them, else a prompt a
 * line. The same text always gives the same file.
 * @throws UserError if there is no prompt in the text, or it cannot be saved
 */
export function savePastedPrompts(folder: string, text: string): { path: string; rows: number } {
  const lines = pastedRows(text);
  if (lines.length === 0)
    throw new UserError('There is no prompt in the pasted text; write one prompt a line.');
  const content = `${lines.join('\n')}\n`;
  const name = `pasted-${createHash('sha256').update(content).digest('hex').slice(0, 12)}.jsonl`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, name), content);
  } catch (error) {
    throw new UserError(
      `The pasted prompts could not be saved in ${folder} (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
  return { path: path.join(folder, name), rows: lines.length };
}

/** One JSON object a row. */
export function pastedRows(text: string): string[] {
  const normal = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const lines = normal.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > 0 && lines.every(isJsonObject)) return lines.map((line) => line.trim());
  const paragraphs = normal.trim().split(/\n\s*\n/);
  const prompts = paragraphs.length > 1 ? paragraphs : lines;
  return prompts
    .map((prompt) => prompt.trim())
    .filter((prompt) => prompt !== '')
    .map((prompt) => JSON.stringify({ prompt }));
}

function isJsonObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
