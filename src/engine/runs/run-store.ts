/** Runs on disk: a folder each, with its settings, its checkpoint and its report. */
import type { JobSettings } from '../../schema/settings.js';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { writeFileAtomically } from './atomic-file.js';
import { UserError } from '../../schema/errors.js';
import { run as runSchema, type Run } from '../../schema/runs.js';

export class RunStore {
  /** @param folder where the runs lie; made when the first run is */
  constructor(readonly folder: string) {}

  create(settings: JobSettings, now = new Date()): Run {
    const modelName = path.basename(path.resolve(settings.model));
    const datasetName = path.parse(settings.dataset).name;
    const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const base = `${stamp}-${modelName}-${datasetName}`.replaceAll(/[^\w.-]+/g, '-');
    let id = base;
    for (let suffix = 2; existsSync(path.join(this.folder, id)); suffix += 1) id = `${base}-${suffix}`;
    const run: Run = {
      version: 1,
      id,
      created: now.toISOString(),
      status: 'running',
      modelName,
      datasetName,
      settings: { ...settings, model: path.resolve(settings.model), dataset: path.resolve(settings.dataset) },
    };
    this.save(run);
    return run;
  }

  save(run: Run): void {
    try {
      mkdirSync(this.folderOf(run.id), { recursive: true });
    } catch (error) {
      throw new UserError(
        `The folder for runs ${this.folder} cannot be made (${error instanceof Error ? error.message : String(error)}).`,
      );
    }
    writeFileAtomically(path.join(this.folderOf(run.id), 'run.json'), JSON.stringify(run, undefined, 2));
  }

  /** Changes a run here and on disk; what another process has written meanwhile, such as a title, stays. */
  update(run: Run, change: Partial<Run>): void {
    Object.assign(run, this.#read(run.id), change);
    this.save(run);
  }

  /** Newest first; folders that are not runs are passed over. */
  list(): Run[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .flatMap((id) => this.#read(id) ?? [])
      .toSorted((a, b) => b.created.localeCompare(a.created));
  }

  /**
   * @param id a run's id, a unique beginning of one, or 'last'
   * @throws UserError if there is no such run or several
   */
  open(id: string): Run {
    const runs = this.list();
    if (id === 'last' && runs[0]) return runs[0];
    const exact = runs.find((run) => run.id === id);
    const matches = exact ? [exact] : runs.filter((run) => run.id.startsWith(id));
    if (matches.length === 1) return matches[0]!;
    throw new UserError(
      matches.length === 0
        ? `There is no run '${id}' in ${this.folder}; 'hopscotch runs list' shows those there are.`
        : `'${id}' could be any of ${matches.length} runs; write more of its name.`,
    );
  }

  /** @throws UserError if no run has exactly this id */
  openExactly(id: string): Run {
    const run = this.list().find((candidate) => candidate.id === id);
    if (!run) throw new UserError(`The run ${id} is not there any more; choose another one.`);
    return run;
  }

  delete(run: Run): void {
    rmSync(this.folderOf(run.id), { recursive: true, force: true });
  }

  folderOf(id: string): string {
    return path.join(this.folder, id);
  }

  checkpointFile(run: Run): string {
    return path.join(this.folderOf(run.id), 'checkpoint.json');
  }

  reportFile(run: Run): string {
    return path.join(this.folderOf(run.id), 'report.json');
  }

  /** Both models' answers at a point of the curve, once they were generated. */
  answersFile(run: Run, blocks: number): string {
    return path.join(this.folderOf(run.id), `answers-${blocks}.json`);
  }

  /** Sizes and speed at a point of the curve, once they were measured. */
  measuredFile(run: Run, blocks: number): string {
    return path.join(this.folderOf(run.id), `measured-${blocks}.json`);
  }

  #read(id: string): Run | undefined {
    const file = path.join(this.folder, id, 'run.json');
    if (!existsSync(file)) return undefined;
    try {
      const given: unknown = JSON.parse(readFileSync(file, 'utf8'));
      // A run is called as its folder, whatever its file says: a copied folder is another run, and no name leads outside.
      const result = v.safeParse(runSchema, { ...(given as object), id });
      return result.success ? withTrueStatus(result.output) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** A run whose process was killed or crashed could not write that it has stopped. */
function withTrueStatus(run: Run): Run {
  return run.status === 'running' && !isAlive(run.process) ? { ...run, status: 'stopped' } : run;
}

function isAlive(id: number | undefined): boolean {
  if (id === undefined) return false;
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // A process of another user is alive, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
