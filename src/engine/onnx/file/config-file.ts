/** JSON files beside a model, as people and programs write them: with a byte order mark, with Python's NaN and Infinity. */
import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../../../schema/errors.js';
import { jsonReason, plainWords } from '../../../schema/plain-words.js';
import { pointerProblem } from './download-problems.js';

/** @throws UserError if the file cannot be read or does not hold a JSON object */
export function readConfigFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    // A pipe, for instance, would never be read to its end.
    if (!statSync(file).isFile()) throw new UserError(`${file} is not a file; download the model again.`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file} cannot be read: ${plainWords(error)}.`, { cause: error });
  }
  return parseConfig(text, file);
}

/**
 * NaN and Infinity, which JSON does not have, become null.
 * @param file named in errors
 * @throws UserError if the text is not a JSON object
 */
export function parseConfig(text: string, file: string): Record<string, unknown> {
  const pointer = pointerProblem(text, file);
  if (pointer !== undefined) throw new UserError(pointer);
  let value: unknown;
  try {
    value = parseLeniently(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (error) {
    throw new UserError(`${file} is not valid JSON (${jsonReason(error, text)}); download the model again.`, {
      cause: error,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UserError(`${file} does not hold a JSON object; download the model again.`);
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const plain = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) =>
      found.startsWith('"') ? found : 'null',
    );
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
}
