/** Files and folders of places that may not be there, or not be readable: then there are none. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Names, in their order. */
export function foldersIn(folder: string): string[] {
  return namesIn(folder).filter((name) => statOf(path.join(folder, name))?.isDirectory());
}

/** Names, in their order. */
export function filesIn(folder: string): string[] {
  return namesIn(folder).filter((name) => statOf(path.join(folder, name))?.isFile());
}

/** GGUF files with a whole model: of a split one the first, which stands for all; no projector of pictures. */
export function ggufFilesIn(folder: string): string[] {
  return filesIn(folder).filter(
    (name) =>
      /\.gguf$/i.test(name) && !/mmproj/i.test(name) && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(name),
  );
}

/** Bytes of a GGUF file, of a split one of all its parts. */
export function ggufBytes(folder: string, name: string): number {
  const parts = /^(.*)-00001(-of-\d{5}\.gguf)$/i.exec(name);
  const all = parts
    ? filesIn(folder).filter((other) => other.startsWith(parts[1]!) && other.endsWith(parts[2]!))
    : [name];
  return all.reduce((sum, part) => sum + Number(statOf(path.join(folder, part))?.size ?? 0), 0);
}

/** Undefined where it is none, or damaged. */
export function jsonObjectIn(file: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Links are followed; undefined where one leads nowhere. */
export function statOf(file: string): ReturnType<typeof statSync> {
  return statSync(file, { throwIfNoEntry: false });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
