/** Small results that are kept in a run's folder: checked when they are read, as good as not there if damaged. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { writeFileAtomically } from './atomic-file.js';

/** @returns undefined where the file is not there or does not fit the schema */
export function readKept<S extends v.GenericSchema>(file: string, schema: S): v.InferOutput<S> | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

export function writeKept(file: string, value: unknown): void {
  writeFileAtomically(file, JSON.stringify(value));
}
