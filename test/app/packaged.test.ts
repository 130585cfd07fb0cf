import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppPage } from './pages/app-page.js';
import { projectRoot } from './support/electron-program.js';
import { fusesOf } from './support/fuses.js';
import { launch, type RunningApp } from './support/launch.js';

const isWanted = process.env.HOPSCOTCH_PACKAGE_TEST === '1';
/** What `npm run package` made, or where an installer put it. */
const folder =
  process.env.HOPSCOTCH_PACKAGE_FOLDER ??
  path.join(projectRoot, `out/Hopscotch-${process.platform}-${process.arch}`);
const why = isWanted ? '' : ' (skipped: needs `npm run package` and HOPSCOTCH_PACKAGE_TEST=1 for both)';

/** With few rows; the sample lies in the package. */
const FEW_ROWS = {
  budget: { kind: 'blocks', blocks: 1 },
  strategy: 'fast',
  calibrationRows: 16,
  heldoutRows: 8,
  batchRows: 8,
  training: { epochs: 1 },
  maxNewTokens: 48,
  answerRows: 4,
} as const;

describe.skipIf(!isWanted)(`the packaged app${why}`, () => {
  let app: RunningApp;
  let ui: AppPage;

  beforeAll(async () => {
    // A development server is nothing to a packaged app: it would not even start from this one.
    app = await launch({
      program: programOf(folder),
      env: { HOPSCOTCH_DEV_SERVER: 'http://127.0.0.1:9' },
    });
    ui = new AppPage(app.page);
  });

  afterAll(async () => await app?.close());

  test('starts from its archive, with the sample of its own', async () => {
    const { sample, version } = await app.ask('app.info');
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect(sample.model.startsWith(folder)).toBe(true);
    expect(
      await app.electron.evaluate(({ app: packaged }) => [packaged.isPackaged, packaged.getAppPath()]),
    ).toEqual([true, expect.stringMatching(/app\.asar$/)]);
    process.stdout.write(`the packaged app is usable after ${Math.round(app.launchTime)} ms\n`);
  });

  test('calibrates, measures and exports', async () => {
    const { sample } = await app.ask('app.info');
    const run = await app.ask('job.start', {
      ...FEW_ROWS,
      model: sample.model,
      dataset: sample.tasks[0]!.path,
    });
    await expect.poll(async () => (await app.ask('job.state')).status, { timeout: 180_000 }).toBe('finished');
    const point = { run: run.id, blocks: 1 };
    const measured = await app.ask('compare.measure', { ...point, ticket: 'speed' });
    expect(measured.speed!.slimmed.peakBytes).toBeGreaterThan(1e7);
    const written = await app.ask('export.write', { ...point, parent: app.home, name: 'slimmed' });
    expect(existsSync(path.join(written.folder, written.modelFile))).toBe(true);
    await ui.go('compare');
    expect(app.errors).toEqual([]);
  });

  test('has its fuses shut, but the one through which it is tested', () => {
    expect(fusesOf(electronOf(folder))).toMatchObject({
      runAsNode: false,
      nodeOptions: false,
      filePrivileges: false,
      cookieEncryption: true,
      asarIntegrity: true,
      onlyFromAsar: true,
      inspectArguments: true,
    });
  });

  test('opens no developer tools', async () => {
    const isOpen = await app.electron.evaluate(async ({ BrowserWindow }) => {
      const { webContents } = BrowserWindow.getAllWindows()[0]!;
      webContents.openDevTools();
      await new Promise((resolve) => setTimeout(resolve, 500));
      return webContents.isDevToolsOpened();
    });
    expect(isOpen).toBe(false);
  });

  test('brings the notices of those whose work it holds', async () => {
    const notices = await app.ask('app.notices');
    for (const name of ['Electron, Chromium', 'onnxruntime-node', 'svelte', 'SIL OPEN FONT LICENSE'])
      expect(notices).toContain(name);
    const beside = process.platform === 'darwin' ? resourcesOf(folder) : folder;
    expect(existsSync(path.join(beside, 'LICENSES.chromium.html'))).toBe(true);
  });

  test('holds the libraries of this platform only', () => {
    const binaries = path.join(resourcesOf(folder), 'app.asar.unpacked/node_modules/onnxruntime-node/bin');
    const [api] = readdirSync(binaries);
    expect(readdirSync(path.join(binaries, api!))).toEqual([process.platform]);
    expect(readdirSync(path.join(binaries, api!, process.platform))).toEqual([process.arch]);
  });
});

function programOf(packaged: string): string {
  if (process.platform === 'darwin') return path.join(packaged, 'Hopscotch.app/Contents/MacOS/hopscotch');
  return path.join(packaged, process.platform === 'win32' ? 'hopscotch.exe' : 'hopscotch');
}

/** The file that holds Electron itself. */
function electronOf(packaged: string): string {
  const framework = 'Hopscotch.app/Contents/Frameworks/Electron Framework.framework/Electron Framework';
  return process.platform === 'darwin' ? path.join(packaged, framework) : programOf(packaged);
}

function resourcesOf(packaged: string): string {
  return path.join(
    packaged,
    process.platform === 'darwin' ? 'Hopscotch.app/Contents/Resources' : 'resources',
  );
}
