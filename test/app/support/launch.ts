/** Starts the app as a user does, with a home of its own, and drives it. */
import { mkdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import type { Workspace } from '../../../src/shared/app.js';
import type {
  Bridge,
  Reply,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../../src/shared/contract.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { electronProgram, projectRoot } from './electron-program.js';

const HOLD_WINDOW = path.join(import.meta.dirname, 'hold-window.cjs');

export interface RunningApp {
  electron: ElectronApplication;
  page: Page;
  /** Everything that the app keeps lies in here. */
  home: string;
  /** Milliseconds from the start of the program to a page that can be used. */
  launchTime: number;
  /** Errors of the page so far. */
  errors: string[];
  /** @throws Error with the failure's message if the request is not answered */
  ask<N extends RequestName>(name: N, input?: RequestInput<N>): Promise<RequestOutput<N>>;
  log(): string;
  close(): Promise<void>;
}

export interface LaunchOptions {
  /** Default: a new one. */
  home?: string;
  /** What the app finds as the user's earlier choices. */
  workspace?: Partial<Workspace>;
  /** A packaged app instead of the project's build. */
  program?: string;
  /** In its environment, beside the usual. */
  env?: Record<string, string>;
}

export function newHome(): string {
  return temporaryFolder();
}

export async function launch(options: LaunchOptions = {}): Promise<RunningApp> {
  const home = options.home ?? newHome();
  if (options.workspace) remember(home, options.workspace);
  const started = performance.now();
  const electron = await startElectron({
    executablePath: options.program ?? electronProgram()!,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      ...(options.program ? [] : ['-r', HOLD_WINDOW, projectRoot]),
    ],
    env: { ...environment(), ...options.env, HOPSCOTCH_HOME: home },
    // Playwright would make every page light, whatever the app's settings say.
    colorScheme: null,
    timeout: 20_000,
  });
  let said = '';
  electron.process().stderr?.on('data', (data) => (said += String(data)));
  const page = await electron.firstWindow();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page
    .getByRole('navigation')
    .waitFor({ timeout: 45_000 })
    .catch((error: unknown) => {
      throw new Error(`No page came up at ${page.url()}: ${errors.join('; ')} ${said}`, { cause: error });
    });
  const launchTime = performance.now() - started;
  return {
    electron,
    page,
    home,
    launchTime,
    errors,
    ask: (name, input) => askPage(page, name, input),
    log: () => logOf(home),
    close: () => closeApp(electron),
  };
}

/**
 * A packaged app loads nothing before itself, so its window may open while Playwright attaches, which then waits for
 * ever (about one start in fifteen with Playwright 1.65).
 */
async function startElectron(options: Parameters<typeof _electron.launch>[0]): Promise<ElectronApplication> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await _electron.launch(options);
    } catch (error) {
      if (attempt === 3 || !String(error).includes('Timeout')) throw error;
    }
  }
}

/** Writes the store as the app itself would have. */
function remember(home: string, workspace: Partial<Workspace>): void {
  mkdirSync(path.join(home, 'app'), { recursive: true });
  writeFileSync(path.join(home, 'app', 'hopscotch.json'), JSON.stringify({ workspace }));
}

function logOf(home: string): string {
  const file = path.join(home, 'app', 'logs', 'hopscotch.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

async function askPage<N extends RequestName>(
  page: Page,
  name: N,
  input: RequestInput<N> | undefined,
): Promise<RequestOutput<N>> {
  const reply = (await page.evaluate(
    async ([asked, given]) => {
      const { hopscotch } = globalThis as unknown as { hopscotch: Bridge };
      return await hopscotch.request(asked as 'app.info', given as undefined);
    },
    [name, input] as const,
  )) as Reply;
  if (!reply.ok) throw new Error(reply.failure.message);
  return reply.value as RequestOutput<N>;
}

/** A job that is going on would ask first. */
async function closeApp(electron: ElectronApplication): Promise<void> {
  await electron.evaluate(({ dialog }) => {
    dialog.showMessageBox = () => Promise.resolve({ response: 1, checkboxChecked: false });
  });
  await electron.close();
}

export type EngineProcess = 'engine' | 'calibration' | 'comparison';

/** One of the app's engine processes, as the system knows it; undefined if it does not run. */
export async function engineProcess(
  { electron }: RunningApp,
  name: EngineProcess,
): Promise<number | undefined> {
  return await electron.evaluate(
    ({ app }, wanted) => app.getAppMetrics().find((each) => each.name === wanted)?.pid,
    `Hopscotch ${name}`,
  );
}

/** The process that calibrates. */
export async function calibrationProcess(app: RunningApp): Promise<number | undefined> {
  return await engineProcess(app, 'calibration');
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The next dialogs for a path answer with this one. */
export async function answerDialogs(
  electron: ElectronApplication,
  chosen: string | undefined,
): Promise<void> {
  await electron.evaluate(({ dialog }, file) => {
    dialog.showOpenDialog = () =>
      Promise.resolve({ canceled: file === undefined, filePaths: file === undefined ? [] : [file] });
  }, chosen);
}

/** Drops a file of the disk on the window, as a file manager does. */
export async function dropFile(page: Page, file: string): Promise<void> {
  await page.evaluate(() => {
    const input = document.createElement('input');
    input.type = 'file';
    input.id = 'dropped';
    document.body.append(input);
  });
  await page.setInputFiles('#dropped', file);
  await page.evaluate(() => {
    const input = document.querySelector<HTMLInputElement>('#dropped')!;
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(input.files![0]!);
    input.remove();
    dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
  });
}
