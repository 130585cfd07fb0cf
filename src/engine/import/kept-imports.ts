/** Imported models on disk: a folder each, called by the content of what it was made of. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { UserError } from '../../schema/errors.js';
import { clearPartialFolders, partialFolder } from '../export/partial-folder.js';
import { hashFile } from '../onnx/file/model-fingerprint.js';
import type { ModelSource } from './sources/model-source.js';

/** Counts up when the same file would become another model. */
const VERSION = 2;
const RECORD = 'import.json';

const record = v.object({ source: v.string(), name: v.string(), created: v.string() });

export interface KeptImport extends v.InferOutput<typeof record> {
  id: string;
  /** The folder with the ONNX file. */
  folder: string;
  bytes: number;
}

export class KeptImports {
  /** @param folder where imported models lie; made when the first is */
  constructor(readonly folder: string) {}

  /** The id that a model's import has: the same for the same content, wherever it lies. */
  idOf({ files, config }: Pick<ModelSource, 'files' | 'config'>): string {
    const hash = createHash('sha256').update(`${VERSION}\n${JSON.stringify(config)}`);
    for (const file of files) hashFile(hash, file);
    return hash.digest('hex').slice(0, 16);
  }

  find(id: string): KeptImport | undefined {
    return this.#read(id);
  }

  /**
   * Keeps what `write` writes into the folder that it is given; a folder that is not finished is not kept.
   * @throws what writing throws
   */
  async keep(
    id: string,
    { name, place }: Pick<ModelSource, 'name' | 'place'>,
    write: (folder: string) => Promise<void>,
  ): Promise<KeptImport> {
    const final = path.join(this.folder, id);
    clearPartialFolders(final);
    const partial = partialFolder(final);
    const safe = name.replaceAll(/[^\p{L}\p{N}._ -]+/gu, '-').replace(/^[. -]+/, '') || 'model';
    try {
      rmSync(partial, { recursive: true, force: true });
      await write(path.join(partial, safe));
      const content = { source: path.resolve(place), name: safe, created: new Date().toISOString() };
      writeFileSync(path.join(partial, RECORD), JSON.stringify(content));
      mkdirSync(this.folder, { recursive: true });
      rmSync(final, { recursive: true, force: true });
      renameSync(partial, final);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      throw error;
    }
    return this.#read(id)!;
  }

  /** By name. */
  list(): KeptImport[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .flatMap((id) => this.#read(id) ?? [])
      .toSorted((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
  }

  /** @param called an id, its beginning, or a name. @throws UserError if it is none or several */
  open(called: string): KeptImport {
    const all = this.list();
    const exact = all.filter(({ id, name }) => id === called || name === called);
    const found = exact.length > 0 ? exact : all.filter(({ id }) => called !== '' && id.startsWith(called));
    if (found.length === 1) return found[0]!;
    throw new UserError(
      found.length === 0
        ? `There is no imported model '${called}' in ${this.folder}; choose one of those there are.`
        : `'${called}' could be any of ${found.length} imported models; name it by its id.`,
      { inCommands: "'hopscotch models list' shows them" },
    );
  }

  delete({ id }: KeptImport): void {
    rmSync(path.join(this.folder, id), { recursive: true, force: true });
  }

  #read(id: string): KeptImport | undefined {
    if (!/^[\da-f]{16}$/.test(id)) return undefined;
    try {
      const content: unknown = JSON.parse(readFileSync(path.join(this.folder, id, RECORD), 'utf8'));
      const parsed = v.safeParse(record, content);
      if (!parsed.success || parsed.output.name !== path.basename(parsed.output.name)) return undefined;
      const folder = path.join(this.folder, id, parsed.output.name);
      const bytes = readdirSync(folder).reduce(
        (sum, name) => sum + statSync(path.join(folder, name)).size,
        0,
      );
      return { ...parsed.output, id, folder, bytes };
    } catch {
      return undefined;
    }
  }
}
