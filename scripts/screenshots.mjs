/**
 * Pictures of every step in every state, light and dark, at 1024x700 and 1600x1000, into screenshots/.
 * `npm run screenshots -- compare dark 1024` makes only those whose names contain all of these.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { launchBrowser, openScene, servePage } from '../test/renderer/support/browser.mjs';

const out = path.resolve(import.meta.dirname, '../screenshots');
const wanted = process.argv.slice(2);
const sizes = [
  { width: 1024, height: 700 },
  { width: 1600, height: 1000 },
];
const schemes = ['light', 'dark'];

const go = (step) => (page) => page.getByRole('navigation').getByRole('button', { name: step }).click();
const press = (name) => (page) => page.getByRole('main').getByRole('button', { name, exact: true }).click();
const scrollDown = (page) => page.getByRole('main').evaluate((main) => main.scrollTo(0, main.scrollHeight));
const settle = (page) => page.waitForTimeout(450);

const shots = [
  { name: '1-model', scene: 'first-start', acts: [] },
  { name: '1-model-bottom', scene: 'first-start', acts: [scrollDown] },
  { name: '1-model-empty', scene: 'empty', acts: [] },
  { name: '1-model-error', scene: 'broken-model', acts: [] },
  { name: '1-model-100-layers', scene: 'hundred-layers', acts: [] },
  {
    name: '1-model-focus',
    scene: 'first-start',
    acts: [(page) => page.getByRole('gridcell', { name: 'Layer 5, attention' }).focus()],
  },
  { name: '2-task', scene: 'first-start', acts: [go('Task')] },
  { name: '2-task-bottom', scene: 'first-start', acts: [go('Task'), scrollDown] },
  { name: '2-task-columns', scene: 'columns-needed', acts: [go('Task')] },
  { name: '2-task-choices', scene: 'multiple-choice', acts: [go('Task')] },
  { name: '2-task-warnings', scene: 'hundred-layers', acts: [go('Task')] },
  { name: '2-task-paste', scene: 'first-start', acts: [go('Task'), press('Paste prompts')] },
  { name: '2-task-empty', scene: 'empty', acts: [go('Task')] },
  { name: '3-budget', scene: 'first-start', acts: [go('Budget'), settle, settle, settle] },
  {
    name: '3-budget-advanced',
    scene: 'first-start',
    acts: [go('Budget'), (page) => page.getByText('Advanced settings').click(), scrollDown],
  },
  {
    name: '3-budget-quality',
    scene: 'first-start',
    acts: [
      go('Budget'),
      (page) => page.getByText('Quality limit').click(),
      (page) => page.getByText('Both', { exact: true }).click(),
    ],
  },
  {
    name: '3-budget-cuts',
    scene: 'first-start',
    acts: [
      go('Budget'),
      (page) => page.getByText('What I choose').click(),
      (page) => page.getByLabel('Precision of the weights').selectOption('q4'),
      settle,
    ],
  },
  {
    name: '3-budget-aim',
    scene: 'first-start',
    acts: [go('Budget'), (page) => page.getByText('One aim', { exact: true }).click(), settle],
  },
  { name: '3-budget-too-large', scene: 'too-large', acts: [go('Budget'), settle, settle, settle] },
  { name: '4-calibrate-idle', scene: 'first-start', acts: [go('Calibrate')] },
  { name: '4-calibrate-selecting', scene: 'selecting', acts: [go('Calibrate')] },
  { name: '4-calibrate-training', scene: 'training', acts: [go('Calibrate')] },
  { name: '4-calibrate-stopped', scene: 'stopped', acts: [go('Calibrate')] },
  { name: '4-calibrate-stopped-early', scene: 'stopped-early', acts: [go('Calibrate')] },
  { name: '4-calibrate-crashed', scene: 'crashed', acts: [go('Calibrate')] },
  { name: '4-calibrate-impossible', scene: 'impossible', acts: [go('Calibrate')] },
  { name: '4-calibrate-done', scene: 'finished', acts: [go('Calibrate')] },
  { name: '5-compare', scene: 'finished', acts: [go('Compare'), settle] },
  { name: '5-compare-asked', scene: 'finished', acts: [go('Compare'), settle, press('Ask both'), settle] },
  { name: '5-compare-bottom', scene: 'finished', acts: [go('Compare'), settle, scrollDown] },
  { name: '5-compare-empty', scene: 'first-start', acts: [go('Compare')] },
  { name: '6-export', scene: 'finished', acts: [go('Export'), settle] },
  {
    name: '6-export-problem',
    scene: 'finished',
    acts: [go('Export'), settle, (page) => page.getByLabel('Name').fill('sample'), settle],
  },
  { name: '6-export-done', scene: 'finished', acts: [go('Export'), settle, press('Export')] },
  { name: '7-runs', scene: 'finished', acts: [go('Runs')] },
  {
    name: '7-runs-compared',
    scene: 'finished',
    acts: [
      go('Runs'),
      (page) => page.getByRole('checkbox').nth(0).check(),
      (page) => page.getByRole('checkbox').nth(1).check(),
      press('Compare the two'),
    ],
  },
  { name: '7-runs-empty', scene: 'first-start', acts: [go('Runs')] },
  {
    name: '7-runs-delete',
    scene: 'finished',
    acts: [
      go('Runs'),
      (page) =>
        page
          .getByRole('button', { name: /^Delete/ })
          .first()
          .click(),
    ],
  },
  {
    name: '8-settings',
    scene: 'first-start',
    acts: [(page) => page.getByRole('button', { name: 'Settings' }).click()],
  },
];

mkdirSync(out, { recursive: true });
let made = 0;
const server = await servePage();
const browser = await launchBrowser();
try {
  for (const { name, scene, acts } of shots)
    for (const colorScheme of schemes)
      for (const viewport of sizes) {
        const file = `${name}-${colorScheme}-${viewport.width}.png`;
        if (!wanted.every((part) => file.includes(part))) continue;
        const { page, errors } = await openScene(browser, server.url, scene, { viewport, colorScheme });
        for (const act of acts) await act(page);
        await settle(page);
        await page.screenshot({ path: path.join(out, file), animations: 'disabled' });
        if (errors.length > 0) console.log(`${file}: ${errors.join('; ')}`);
        await page.close();
        made += 1;
      }
} finally {
  await browser.close();
  await server.close();
}
console.log(`${made} pictures in ${out}`);
