/** Runs on disk: a folder each, with its settings, its checkpoint and its report. */
import type { JobSettings } from '../../schema/settings.js';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { writeFileAtomically } from './atomic-file.js';
import { UserError } from '../../schema/errors.js';
import { run as runSchema, runId, type Run } from '../../schema/runs.js';
import { savedFrom } from './damaged-run.js';
import { isAlive } from '../runtime/processes.js';
import { requireFree } from './run-lock.js';
import { plainWords } from '../../schema/plain-words.js';

/** Characters of a name within a run's: folders' names end at 255 bytes. */
const NAME_LENGTH = 60;

export class RunStore {
  /** @param folder where the runs lie; made when the first run is */
  constructor(readonly folder: string) {}

  create(settings: JobSettings, now = new Date()): Run {
    const modelName = path.basename(path.resolve(settings.model));
    const datasetName = path.parse(settings.dataset).name;
    const [model, dataset] = [modelName, datasetName].map((name) => name.slice(0, NAME_LENGTH));
    const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const base = `${stamp}-${model}-${dataset}`.replaceAll(/[^\w.-]+/g, '-');
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
      throw new UserError(`The folder for runs ${this.folder} cannot be made (${plainWords(error)}).`);
    }
    writeFileAtomically(path.join(this.folderOf(run.id), 'run.json'), JSON.stringify(run, undefined, 2));
  }

  /** Changes a run here and on disk; what another process has written meanwhile, such as a title, stays. */
  update(run: Run, change: Partial<Run>): void {
    const found = this.#read(run.id);
    Object.assign(run, found?.status === 'damaged' ? {} : found, change);
    this.save(run);
  }

  /** Newest first; damaged ones are among them, folders that are not runs are passed over. */
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
    const last = runs.find(({ status }) => status !== 'damaged');
    if (id === 'last' && last) return last;
    const exact = runs.find((run) => run.id === id);
    const matches = exact ? [exact] : runs.filter((run) => run.id.startsWith(id));
    if (matches.length === 1) return matches[0]!;
    throw new UserError(
      matches.length === 0
        ? `There is no run '${id}' in ${this.folder}; choose one of those there are.`
        : `'${id}' could be any of ${matches.length} runs; write more of its name.`,
      { inCommands: "'hopscotch runs list' shows them" },
    );
  }

  /** @throws UserError if no run has exactly this id */
  openExactly(id: string): Run {
    const run = this.list().find((candidate) => candidate.id === id);
    if (!run) throw new UserError(`The run ${id} is not there any more; choose another one.`);
    return run;
  }

  /** @throws RunHeldError if another process works on it */
  delete(run: Run): void {
    requireFree(this.folderOf(run.id));
    rmSync(this.folderOf(run.id), { recursive: true, force: true });
  }

  folderOf(id: string): string {
    return path.join(this.folder, id);
  }

  checkpointFile(run: Run): string {
    return path.join(this.folderOf(run.id), 'checkpoint.json');
  }

  /** Where a cut model is slimmed: of the training of the one that is not. */
  referenceCheckpointFile(run: Run): string {
    return path.join(this.folderOf(run.id), 'reference-checkpoint.json');
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
    let [text, changed] = ['', new Date(0)];
    try {
      const found = statSync(file);
      if (!found.isFile()) return undefined;
      changed = found.mtime;
      text = readFileSync(file, 'utf8');
      // A run is called as its folder, whatever its file says: a copied folder is another run, and no name leads outside.
      const result = v.safeParse(runSchema, { ...(JSON.parse(text) as object), id });
      if (result.success) return withTrueStatus(result.output);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      // Told as any other that is damaged.
    }
    return v.is(runId, id) ? savedFrom(id, text, changed) : undefined;
  }
}

/** A run whose process was killed or crashed could not write that it has stopped. */
function withTrueStatus(run: Run): Run {
  return run.status === 'running' && !isAlive(run.process) ? { ...run, status: 'stopped' } : run;
}
