/**
 * Drives the real app with a real model through every step, with pictures of each, light and dark, at 1280x800 and in the
 * smallest window, into screenshots/app; then tells the longest frame of each step, the memory of each process, and how
 * long a start with the model takes. `npm run app:build` first.
 *
 *     xvfb-run -a -s '-screen 0 1600x1000x24' node scripts/app-pictures.mjs MODEL DATASET [--figures | --whole-job]
 *
 * MODEL: a .gguf file, which is converted on the way, or a model folder. --figures: no pictures, which cost frames.
 * --whole-job: figures only, and from the model to the export only, with the app's own settings and a budget of 8 blocks.
 */
import { mkdirSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { _electron } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '..');
const [model, dataset] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isWholeJob = process.argv.includes('--whole-job');
const isForFigures = isWholeJob || process.argv.includes('--figures');
/** The longest that is waited for a calibration. */
const calibrationTime = isWholeJob ? 3_600_000 : 600_000;
const out = path.join(root, 'screenshots/app');
const home = mkdtempSync(path.join(os.tmpdir(), 'hopscotch-pictures-'));
const program = process.env.HOPSCOTCH_ELECTRON ?? path.join(root, '.cache/electron/electron');
const sizes = [
  { width: 1280, height: 800 },
  { width: 1024, height: 540 },
];

/** As little as still goes the whole way. */
const smallJob = {
  budget: { kind: 'blocks', blocks: 3 },
  strategy: 'cosine',
  responses: 'file',
  calibrationRows: 4,
  heldoutRows: 6,
  batchRows: 4,
  training: { epochs: 2 },
  maxNewTokens: 24,
  answerRows: 6,
};
const job = isWholeJob ? { budget: { kind: 'blocks', blocks: 8 } } : smallJob;

let electron;
let page;
const errors = [];

/** @returns seconds until the page can be used, and until the model is open */
async function start() {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  electron = await _electron.launch({
    executablePath: program,
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '-r',
      path.join(root, 'test/app/support/hold-window.cjs'),
      root,
    ],
    env: { ...process.env, HOPSCOTCH_HOME: home },
    colorScheme: null,
  });
  page = await electron.firstWindow();
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.getByRole('navigation').waitFor();
  const usable = seconds();
  // It opens at the step where it was closed.
  await go('Model');
  await slim().waitFor();
  await until(() => slim().isEnabled(), 120_000);
  return { usable, open: seconds() };
}

const main = () => page.getByRole('main');
const button = (name) => main().getByRole('button', { name, exact: typeof name === 'string' });
const slim = () => page.locator('footer').getByRole('button', { name: 'Slim', exact: true });
const go = (step) => page.getByRole('navigation').getByRole('button', { name: step }).click();
const settle = () => page.waitForTimeout(500);

async function until(isSo, timeout = 600_000, between = 200) {
  const end = Date.now() + timeout;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Waited in vain for ${isSo}`);
    await page.waitForTimeout(between);
  }
}

async function ask(name, input) {
  const reply = await page.evaluate(
    ([asked, given]) => globalThis.hopscotch.request(asked, given),
    [name, input],
  );
  if (!reply.ok) throw new Error(reply.failure.message);
  return reply.value;
}

async function resize(size) {
  await electron.evaluate(({ BrowserWindow }, { width, height }) => {
    BrowserWindow.getAllWindows()[0].setContentSize(width, height);
  }, size);
}

/** What is seen of the step at first, and what is seen below in the larger window. */
async function shoot(name) {
  if (isForFigures) return;
  for (const size of sizes) {
    await resize(size);
    for (const appearance of ['light', 'dark']) {
      await ask('settings.set', { appearance });
      await settle();
      const file = (part) => path.join(out, `${name}-${appearance}-${size.width}${part}.png`);
      await page.screenshot({ path: file('') });
      if (size !== sizes[0]) continue;
      const hidden = await main().evaluate((it) => it.scrollHeight - it.clientHeight);
      if (hidden > 24) {
        await main().evaluate((it) => it.scrollTo(0, it.scrollHeight));
        await page.waitForTimeout(200);
        await page.screenshot({ path: file('-below') });
        await main().evaluate((it) => it.scrollTo(0, 0));
      }
    }
  }
  await resize(sizes[0]);
}

const frames = {};
/** The longest frame while something is done: told by the page of those from 50 ms on, so that watching makes no frames. */
async function watchFrames(name, act) {
  await page.evaluate(() => {
    const watch = (globalThis.watch = { longest: 0 });
    watch.observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) watch.longest = Math.max(watch.longest, duration);
    });
    watch.observer.observe({ type: 'long-animation-frame', buffered: false });
  });
  await act();
  const longest = await page.evaluate(() => {
    globalThis.watch.observer.disconnect();
    return Math.round(globalThis.watch.longest);
  });
  frames[name] = longest === 0 ? 'below 50' : longest;
}

const memory = {};
async function weigh() {
  const all = await electron.evaluate(({ app }) =>
    app.getAppMetrics().map(({ type, name, memory: { workingSetSize } }) => [name ?? type, workingSetSize]),
  );
  for (const [name, kilobytes] of all)
    memory[name] = Math.max(memory[name] ?? 0, Math.round(kilobytes / 1024));
}

/** What the next dialog for a path is answered with. */
async function answerDialog(chosen) {
  await electron.evaluate(({ dialog }, file) => {
    dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [file] });
  }, chosen);
}

async function openModel() {
  await go('Model');
  await answerDialog(model);
  if (model.endsWith('.gguf')) {
    await button('Open ONNX or GGUF file').click();
    await button('Convert and open').waitFor();
    await shoot('1-model-offer');
    await button('Convert and open').click();
    await main().getByText('Converting the model').waitFor();
    if (!isForFigures) await page.screenshot({ path: path.join(out, '1-model-converting.png') });
  } else {
    await button('Open folder').click();
  }
  await main().getByText('What slimming brings here').waitFor({ timeout: 120_000 });
  await until(() => slim().isEnabled());
}

async function chooseTask() {
  await go('Task');
  await answerDialog(dataset);
  await button('Open file').click();
  await settle();
  await until(() => slim().isEnabled());
}

async function chooseBudget() {
  await go('Budget');
  await settle();
  await until(async () => !(await main().getByText('Measuring a few steps').isVisible()), 120_000);
  await shoot('3-budget');
  await main().getByText('What I choose').click();
  await main().getByLabel('Precision of the weights').selectOption('q4');
  await shoot('3-budget-cuts');
  await main().getByText('One aim', { exact: true }).click();
  await shoot('3-budget-aim');
  await main().getByText('Nothing', { exact: true }).click();
  await main().getByText('Advanced settings').click();
  await shoot('3-budget-advanced');
  await main().getByText('Advanced settings').click();
}

async function calibrate() {
  await go('Calibrate');
  await shoot('4-calibrate-idle');
  await button('Slim').click();
  // Waiting by locator looks at the page in every frame, which would take the job's processor time.
  const begun = main()
    .getByText(/Round|Learning scales/)
    .first();
  await until(() => begun.isVisible(), 300_000, isWholeJob ? 2000 : 200);
  await shoot('4-calibrate-running');
  const weighing = setInterval(() => void weigh().catch(() => undefined), 1000);
  const done = main().getByRole('heading', { name: /^Done/ });
  await until(() => done.isVisible(), calibrationTime, isWholeJob ? 2000 : 200);
  clearInterval(weighing);
  await shoot('4-calibrate-done');
}

async function compare() {
  await go('Compare');
  await button('Ask both').waitFor();
  await shoot('5-compare');
  await page.getByRole('textbox', { name: 'Prompt' }).fill('My internet is not working.');
  await button('Ask both').click();
  await button('Stop').waitFor();
  await button('Ask both').waitFor({ timeout: 120_000 });
  await shoot('5-compare-asked');
}

async function comparePrompts() {
  await main().getByText('Many prompts', { exact: true }).click();
  await shoot('5-many-form');
  await main().getByLabel('How many').fill('6');
  await button('Start').click();
  await main()
    .getByText(/of 12 answers/)
    .waitFor({ timeout: 3000 })
    .catch(() => undefined); // A small model has answered all by then.
  await shoot('5-many-running');
  await main()
    .getByRole('radio', { name: /^All [1-9]/ })
    .waitFor({ timeout: 300_000 });
  await until(async () => !(await button('Stop').isVisible()), 300_000);
  await shoot('5-many-done');
  if (await button('Vote blind').isEnabled()) {
    await button('Vote blind').click();
    await shoot('5-many-blind');
    await button('End and see').click();
  }
}

async function exportIt() {
  await go('Export');
  await answerDialog(home);
  await button('Choose').click();
  await until(() => button('Export').isEnabled());
  await shoot('6-export');
  await button('Export').click();
  await main().getByText('Written and checked').waitFor({ timeout: 300_000 });
  await shoot('6-export-done');
}

async function lookAtTheRest() {
  await go('Runs');
  await settle();
  await shoot('7-runs');
  await page.getByRole('button', { name: 'Settings' }).click();
  await settle();
  await shoot('8-settings');
}

mkdirSync(out, { recursive: true });
try {
  console.log('start with the sample', await start());
  await ask('workspace.set', { job });
  await electron.close();
  await start();
  await resize(sizes[0]);
  await shoot('0-first-start');
  const steps = isWholeJob
    ? { openModel, chooseTask, calibrate, exportIt }
    : { openModel, chooseTask, chooseBudget, calibrate, compare, comparePrompts, exportIt, lookAtTheRest };
  for (const [name, act] of Object.entries(steps)) {
    const begun = performance.now();
    await watchFrames(name, act);
    await weigh();
    console.log(
      `${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s, longest frame ${frames[name]} ms`,
    );
    if (name === 'openModel') await shoot('1-model');
    if (name === 'chooseTask') await shoot('2-task');
  }
  await electron.close();
  console.log('start with the model', await start());
  await weigh();
  console.log('memory at the most, MB', memory);
} catch (error) {
  await page?.screenshot({ path: path.join(out, 'failed.png') });
  console.error(error);
  process.exitCode = 1;
} finally {
  if (errors.length > 0) console.log('errors of the page:', errors);
  await electron?.close();
}
