/** What the app remembers between starts: settings, window, the user's choices, recent models and tasks. */
import { count, filePath, modelChoice } from '../schema/values.js';
import * as v from 'valibot';
import { appSettings, workspace, type AppSettings, type Workspace } from '../shared/app.js';

/** Where values are kept: electron-store, or a Map in tests. */
export interface Storage {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** Fits a screen of 1366 x 768 at 125 % and one of 1920 x 1080 at 150 %, beside the system's own bars. */
export const LEAST_WINDOW = { width: 1024, height: 540 };

const windowState = v.object({
  x: v.optional(v.pipe(v.number(), v.integer())),
  y: v.optional(v.pipe(v.number(), v.integer())),
  width: v.optional(v.pipe(v.number(), v.integer(), v.minValue(LEAST_WINDOW.width)), 1280),
  height: v.optional(v.pipe(v.number(), v.integer(), v.minValue(LEAST_WINDOW.height)), 840),
  maximised: v.optional(v.boolean(), false),
});
export type WindowState = v.InferOutput<typeof windowState>;

const recentModel = v.object({
  ...modelChoice.entries,
  name: v.string(),
  bytes: v.optional(count),
  family: v.optional(v.string()),
});
export type RecentModel = v.InferOutput<typeof recentModel>;

const LONGEST_LIST = 10;

export class AppStore {
  readonly #storage: Storage;
  readonly #firstWorkspace: Partial<Workspace>;

  /** @param firstWorkspace what is chosen at the first start */
  constructor(storage: Storage, firstWorkspace: Partial<Workspace>) {
    this.#storage = storage;
    this.#firstWorkspace = firstWorkspace;
  }

  get settings(): AppSettings {
    return this.#read('settings', appSettings, {});
  }

  changeSettings(change: Partial<AppSettings>): AppSettings {
    return this.#write('settings', appSettings, { ...this.settings, ...change });
  }

  get workspace(): Workspace {
    return this.#read('workspace', workspace, this.#firstWorkspace);
  }

  changeWorkspace(change: Partial<Workspace>): Workspace {
    return this.#write('workspace', workspace, { ...this.workspace, ...change });
  }

  get window(): WindowState {
    return this.#read('window', windowState, {});
  }

  set window(state: WindowState) {
    this.#write('window', windowState, state);
  }

  get recentModels(): RecentModel[] {
    return this.#read('recentModels', v.array(recentModel), []);
  }

  addRecentModel(model: RecentModel): void {
    const others = this.recentModels.filter((other) => !isSameModel(other, model));
    this.#storage.set('recentModels', [withoutUndefined(model), ...others].slice(0, LONGEST_LIST));
  }

  forgetModel(model: Pick<RecentModel, 'model' | 'modelFile'>): void {
    this.#storage.set(
      'recentModels',
      this.recentModels.filter((other) => !isSameModel(other, model)),
    );
  }

  get recentTasks(): string[] {
    return this.#read('recentTasks', v.array(filePath), []);
  }

  addRecentTask(dataset: string): void {
    const others = this.recentTasks.filter((other) => other !== dataset);
    this.#storage.set('recentTasks', [dataset, ...others].slice(0, LONGEST_LIST));
  }

  /** A value that an older version or a hand wrote otherwise is as if it were not there. */
  #read<Schema extends v.GenericSchema>(
    key: string,
    schema: Schema,
    absent: v.InferInput<Schema>,
  ): v.InferOutput<Schema> {
    const parsed = v.safeParse(schema, this.#storage.get(key) ?? absent);
    return parsed.success ? parsed.output : v.parse(schema, absent);
  }

  #write<Schema extends v.GenericSchema>(
    key: string,
    schema: Schema,
    value: v.InferInput<Schema>,
  ): v.InferOutput<Schema> {
    const checked = v.parse(schema, withoutUndefined(value as object));
    this.#storage.set(key, checked);
    return checked;
  }
}

function isSameModel(
  a: Pick<RecentModel, 'model' | 'modelFile'>,
  b: Pick<RecentModel, 'model' | 'modelFile'>,
) {
  return a.model === b.model && a.modelFile === b.modelFile;
}

/** JSON has no undefined, and electron-store refuses it; a choice that was taken back is absent. */
function withoutUndefined<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
