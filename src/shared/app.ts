/** The app itself: what it is, its settings, what the user has chosen so far, its window. */
import { runId } from '../schema/runs.js';
import { textUnit } from '../schema/columns.js';
import { count, filePath, modelChoice, positive } from '../schema/values.js';
import { jobChoices } from '../schema/settings.js';
import * as v from 'valibot';
import { PLACES } from './steps.js';

export const appInfo = v.object({
  name: v.string(),
  version: v.string(),
  /** Node's name of the platform: 'linux', 'darwin', 'win32'. */
  platform: v.string(),
  architecture: v.string(),
  versions: v.object({ electron: v.string(), chromium: v.string(), node: v.string() }),
  /** Threads that the processor runs at once. */
  processors: positive,
  memoryBytes: positive,
  folders: v.object({ runs: filePath, cache: filePath, logs: filePath }),
  /** The model and the tasks that come with the app. */
  sample: v.object({
    model: filePath,
    tasks: v.array(v.object({ name: v.string(), path: filePath })),
  }),
  /** Where people report faults. */
  homepage: v.string(),
});
export type AppInfo = v.InferOutput<typeof appInfo>;

export const appearance = v.picklist(['system', 'light', 'dark']);

/** What the settings page holds. */
export const appSettings = v.object({
  appearance: v.optional(appearance, 'system'),
  /** Page zoom: 1 is 100 %. */
  zoom: v.optional(v.pipe(v.number(), v.minValue(0.5), v.maxValue(3)), 1),
  /** Whether a desktop notification tells the end of a job. */
  notifications: v.optional(v.boolean(), true),
  /** Whether the screen may turn off while a job runs, but not the machine. */
  keepAwake: v.optional(v.boolean(), true),
  /** Folder whose Hugging Face cache is searched for models; undefined for the usual one. */
  huggingFaceCache: v.optional(filePath),
  /** Folder that exports are offered in; undefined for the user's documents. */
  exportFolder: v.optional(filePath),
  /**
   * Where the engine runs: in Electron's utility process, or (for models with tensors above 1 GiB, which Electron does
   * not allow) in a Node that is installed on the machine.
   */
  engineProcess: v.optional(v.picklist(['electron', 'node']), 'electron'),
});
export type AppSettings = v.InferOutput<typeof appSettings>;

export const step = v.picklist(PLACES);

/** What the user has chosen so far; kept across restarts. At the first start: the sample model and its first task. */
export const workspace = v.object({
  step: v.optional(step, 'model'),
  model: v.optional(modelChoice),
  task: v.optional(
    v.object({ dataset: filePath, columns: v.optional(v.string()), textUnit: v.optional(textUnit) }),
  ),
  job: v.optional(jobChoices, {}),
  /** The run whose curve, comparison and export are shown. */
  run: v.optional(runId),
  /** Number of skipped blocks of the point of that curve that is looked at. */
  point: v.optional(count),
  /** Prompts asked in Compare, the last one first. */
  prompts: v.optional(v.pipe(v.array(v.string()), v.maxLength(20)), []),
});
export type Workspace = v.InferOutput<typeof workspace>;

export const logLevel = v.picklist(['info', 'warning', 'error']);

export const appRequests = {
  'app.info': { input: v.undefined(), output: appInfo },
  /** Writes a line to the app's log file. */
  'app.log': {
    input: v.object({ level: logLevel, message: v.pipe(v.string(), v.maxLength(10_000)) }),
    output: v.undefined(),
  },
  /** Opens one of the app's own folders in the system's file manager. */
  'app.openFolder': { input: v.object({ folder: v.picklist(['runs', 'logs']) }), output: v.undefined() },
  /** Opens the project's page in the browser. */
  'app.openHomepage': { input: v.undefined(), output: v.undefined() },
  /** What the app holds of others, and under which licences. */
  'app.notices': { input: v.undefined(), output: v.string() },
  'settings.get': { input: v.undefined(), output: appSettings },
  /** Changes what is given, answers with all. */
  'settings.set': { input: v.partial(appSettings), output: appSettings },
  /** A dialog for a folder of the settings; no path if the user cancelled. */
  'settings.chooseFolder': {
    input: v.object({ setting: v.picklist(['huggingFaceCache', 'exportFolder']) }),
    output: v.object({ path: v.optional(filePath) }),
  },
  'workspace.get': { input: v.undefined(), output: workspace },
  /** Changes what is given, answers with all. */
  'workspace.set': { input: v.partial(workspace), output: workspace },
} as const;

export const appEvents = {
  /** Also when another window or the system changed them. */
  'settings.changed': appSettings,
  /** Something was chosen in the menu that is the page's to do. */
  'menu.chosen': v.object({
    command: v.picklist([
      'open-model',
      'open-model-file',
      'open-task',
      'start-job',
      'stop-job',
      /** Goes there. */
      ...PLACES,
    ]),
  }),
} as const;
