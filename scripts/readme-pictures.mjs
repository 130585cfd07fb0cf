/**
 * The README's two pictures, of the real app with a real calibration of the sample: a few minutes.
 * After `npm run app:build`, where there is no screen: xvfb-run -a -s '-screen 0 1700x1100x24' node scripts/readme-pictures.mjs
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { _electron } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '..');
const images = path.join(root, 'docs/images');
const sample = path.join(root, 'assets/sample');
const MINUTES = 60_000;

const home = mkdtempSync(path.join(os.tmpdir(), 'hopscotch-pictures-'));
mkdirSync(path.join(home, 'app'));
writeFileSync(
  path.join(home, 'app/hopscotch.json'),
  JSON.stringify({
    settings: { appearance: 'light' },
    workspace: {
      model: { model: sample },
      task: { dataset: path.join(sample, 'tasks/arithmetic.jsonl') },
      // The quick preset, as at the first start.
      job: {
        budget: { kind: 'blocks', blocks: 6 },
        calibrationRows: 64,
        heldoutRows: 64,
        training: { epochs: 12 },
        answerRows: 32,
      },
    },
  }),
);

const app = await _electron.launch({
  executablePath: process.env.HOPSCOTCH_ELECTRON ?? createRequire(import.meta.url)('electron'),
  args: [
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    '-r',
    path.join(root, 'test/app/support/hold-window.cjs'),
    root,
  ],
  env: { ...process.env, HOPSCOTCH_HOME: home },
});
try {
  const page = await app.firstWindow();
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0].setContentSize(1600, 1000));
  const state = () => page.evaluate(async () => (await globalThis.hopscotch.request('job.state')).value);
  const until = async (isWanted) => {
    for (const end = Date.now() + 20 * MINUTES; Date.now() < end; await page.waitForTimeout(300))
      if (isWanted(await state())) return;
    throw new Error(`The job did not come that far: ${JSON.stringify(await state()).slice(0, 300)}`);
  };
  const picture = async (name) => {
    await page.mouse.move(800, 5);
    await page.waitForTimeout(600);
    await page.screenshot({ path: path.join(images, `${name}.png`), animations: 'disabled' });
    console.log(`${name}.png`);
  };
  const go = (step) => page.getByRole('navigation').getByRole('button', { name: step }).click();

  await page.locator('footer').getByRole('button', { name: 'Slim', exact: true }).click({ timeout: MINUTES });
  await until(({ points, epochs }) => points.length >= 3 && epochs?.done >= 3);
  await picture('calibrate');
  await until(({ status }) => status === 'finished');

  await go('Compare');
  const curve = page.getByRole('slider', { name: 'Number of skipped blocks' });
  for (const key of ['Home', 'ArrowRight']) await curve.press(key);
  await page.getByText('1 of 32').waitFor({ timeout: 5 * MINUTES });
  const prompt = page.getByRole('textbox', { name: 'Prompt' });
  await prompt.fill(
    'Mia has 58 keys. Mia buys 17 more. Mia gives 26 keys to Tom. How many keys does Mia have now?',
  );
  await prompt.press('Enter');
  await page.getByText(/Same answer|The answers differ/).waitFor({ timeout: MINUTES });
  await prompt.blur();
  await picture('compare');
} finally {
  await app.close();
  rmSync(home, { recursive: true, force: true });
}
