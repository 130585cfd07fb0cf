/** Comparisons on disk: a folder each, with what was asked, the answers as they come, and the user's votes. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import {
  comparison as comparisonSchema,
  keptAnswer,
  vote as voteSchema,
  type Comparison,
  type KeptAnswer,
  type Vote,
} from '../../schema/comparison.js';
import { UserError } from '../../schema/errors.js';
import { plainWords } from '../../schema/plain-words.js';
import { runId } from '../../schema/runs.js';
import { clearPartialFolders, partialFolder } from '../export/partial-folder.js';
import type { Message } from '../data/messages.js';
import { isAlive } from '../runtime/processes.js';
import { writeFileAtomically } from './atomic-file.js';
import { readKept, writeKept } from './kept-json.js';
import { lockRun, requireFree } from './run-lock.js';
import type { RunStore } from './run-store.js';

/** A prompt as it was when the comparison began, whatever becomes of its file. */
const keptPrompt = v.object({
  line: v.number(),
  messages: v.array(
    v.looseObject({ role: v.picklist(['system', 'user', 'assistant', 'tool']), content: v.string() }),
  ),
  expected: v.optional(v.string()),
});
export interface KeptPrompt {
  line: number;
  messages: Message[];
  expected?: string | undefined;
}

/** What is known when a comparison begins. */
export type NewComparison = Pick<Comparison, 'settings' | 'names' | 'source'> & { prompts: KeptPrompt[] };

export class ComparisonStore {
  readonly folder: string;

  /** Comparisons lie beside the runs. */
  constructor(runs: Pick<RunStore, 'folder'>) {
    this.folder = path.join(path.dirname(runs.folder), 'comparisons');
  }

  create({ settings, names, source, prompts }: NewComparison, now = new Date()): Comparison {
    const stamp = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const words = path.parse(source).name.replaceAll(/[^\w.-]+/g, '-');
    const base = `${stamp}-${words}`.slice(0, 80);
    let id = base;
    for (let suffix = 2; existsSync(path.join(this.folder, id)); suffix += 1) id = `${base}-${suffix}`;
    const made: Comparison = {
      version: 1,
      id,
      created: now.toISOString(),
      status: 'stopped',
      settings,
      names,
      source,
      prompts: prompts.length,
    };
    this.#begin(made, prompts);
    return made;
  }

  /** A comparison that is listed has its prompts. */
  #begin(made: Comparison, prompts: KeptPrompt[]): void {
    const folder = this.folderOf(made.id);
    clearPartialFolders(folder);
    const partial = partialFolder(folder);
    try {
      mkdirSync(partial, { recursive: true });
      writeKept(path.join(partial, 'prompts.json'), prompts);
      writeKept(path.join(partial, 'comparison.json'), made);
      renameSync(partial, folder);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      throw new UserError(
        `The comparison cannot be kept in ${this.folder} (${plainWords(error)}); free some space, or see that the folder may be written to.`,
      );
    }
  }

  update(comparison: Comparison, change: Partial<Comparison>): void {
    Object.assign(comparison, change);
    this.#save(comparison);
  }

  /** Newest first; folders that are not comparisons are passed over. */
  list(): Comparison[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .flatMap((id) => this.#read(id) ?? [])
      .toSorted((a, b) => b.created.localeCompare(a.created));
  }

  /** @throws UserError if there is no such comparison */
  open(id: string): Comparison {
    const found = v.is(runId, id) ? this.#read(id) : undefined;
    if (!found) throw new UserError(`There is no comparison '${id}' in ${this.folder} any more.`);
    return found;
  }

  /** @throws UserError if the prompts cannot be read any more */
  prompts(id: string): KeptPrompt[] {
    const prompts = readKept(path.join(this.folderOf(id), 'prompts.json'), v.array(keptPrompt));
    if (prompts) return prompts as KeptPrompt[];
    throw new UserError(`The prompts of the comparison ${id} cannot be read any more; start it anew.`);
  }

  /** In the order in which they came; a line that a crash cut short is not there. */
  answers(id: string): KeptAnswer[] {
    const file = this.#answersFile(id);
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').split('\n').flatMap(parseAnswer);
  }

  /** @throws UserError if the disk is full */
  addAnswer(id: string, answer: KeptAnswer): void {
    try {
      // The line break before it ends a line that a crash cut short.
      appendFileSync(this.#answersFile(id), `\n${JSON.stringify(answer)}`);
    } catch (error) {
      throw new UserError(
        `The answers could not be saved in ${this.folderOf(id)} (${plainWords(error)}); free some space, then resume.`,
      );
    }
  }

  votes(id: string): Vote[] {
    return readKept(this.#votesFile(id), v.array(voteSchema)) ?? [];
  }

  /** A later vote on the same answers takes the place of an earlier one. */
  addVote(id: string, given: Vote): void {
    const others = this.votes(id).filter(
      ({ prompt, model }) => prompt !== given.prompt || model !== given.model,
    );
    writeKept(this.#votesFile(id), [...others, given]);
  }

  /** Takes the comparison for this process. @returns gives it back @throws RunHeldError if another works on it */
  lock(id: string): () => void {
    return lockRun(this.folderOf(id));
  }

  /** @throws RunHeldError if another process works on it */
  delete(id: string): void {
    requireFree(this.folderOf(this.open(id).id));
    rmSync(this.folderOf(id), { recursive: true, force: true });
  }

  folderOf(id: string): string {
    return path.join(this.folder, id);
  }

  #answersFile(id: string): string {
    return path.join(this.folderOf(id), 'answers.jsonl');
  }

  #votesFile(id: string): string {
    return path.join(this.folderOf(id), 'votes.json');
  }

  #save(comparison: Comparison): void {
    const file = path.join(this.folderOf(comparison.id), 'comparison.json');
    writeFileAtomically(file, JSON.stringify(comparison, undefined, 2));
  }

  #read(id: string): Comparison | undefined {
    const found = readKept(path.join(this.folder, id, 'comparison.json'), comparisonSchema);
    if (!found || !v.is(runId, id)) return undefined;
    // One whose process was killed could not write that it has stopped; its folder's name is its name.
    const died = found.status === 'running' && !isAlive(found.process);
    return { ...found, id, status: died ? 'stopped' : found.status };
  }
}

function parseAnswer(line: string): KeptAnswer[] {
  try {
    const parsed = v.safeParse(keptAnswer, JSON.parse(line));
    return parsed.success ? [parsed.output] : [];
  } catch {
    return [];
  }
}
