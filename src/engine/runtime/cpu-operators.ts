/** Which operators of a session run on the CPU although it has another provider: read from a profile of its first run. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A profile on disk, for as long as it takes to read it. */
export class PlacementProfile {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'hopscotch-profile-'));

  /** What onnxruntime is told to start the file's name with. */
  get prefix(): string {
    return path.join(this.#folder, 'run');
  }

  /** Reads the profile, which must have ended, and removes it. */
  take(): string[] {
    const file = readdirSync(this.#folder).find((name) => name.startsWith('run'));
    const operators = file ? operatorsOnCpu(readFileSync(path.join(this.#folder, file), 'utf8')) : [];
    this.discard();
    return operators;
  }

  discard(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  cat?: string;
  args?: { op_name?: string; provider?: string };
}

/** @param profile as onnxruntime writes it. @returns names of operators, sorted */
export function operatorsOnCpu(profile: string): string[] {
  const events = JSON.parse(profile) as ProfileEvent[];
  const names = events
    .filter(({ cat, args }) => cat === 'Node' && args?.provider === 'CPUExecutionProvider')
    .flatMap(({ args }) => args?.op_name ?? []);
  return [...new Set(names)].toSorted();
}
