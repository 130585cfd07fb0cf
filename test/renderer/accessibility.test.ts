/** axe-core on every step, light and dark, in Chromium. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, launchBrowser, openScene, servePage } from './support/browser.mjs';

interface Violation {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

const require = createRequire(import.meta.url);
const why = existsSync(CHROMIUM) ? '' : ` (skipped: there is no ${CHROMIUM})`;

type Act = (page: Page) => Promise<unknown>;
const go =
  (name: string): Act =>
  (page) =>
    page.getByRole('navigation').getByRole('button', { name }).click();
const press =
  (name: string): Act =>
  (page) =>
    page.getByRole('main').getByRole('button', { name, exact: true }).click();

const many: Act = (page) => page.getByText('Many prompts', { exact: true }).click();
const openOptions: Act = (page) => page.getByText('System prompt, temperature, length').click();
const pasted: Act = (page) => page.getByText('Pasted', { exact: true }).click();
const openEarlier: Act = (page) => page.getByRole('button', { name: /prompts of arithmetic/ }).click();

const PLACES: [name: string, scene: string, acts: Act[]][] = [
  ['Model', 'first-start', []],
  ['Model, empty', 'empty', []],
  ['Model, refused', 'broken-model', []],
  ['Task', 'first-start', [go('Task')]],
  ['Task, columns', 'columns-needed', [go('Task')]],
  ['Task, paste', 'first-start', [go('Task'), press('Paste prompts')]],
  [
    'Budget',
    'first-start',
    [
      go('Budget'),
      (page) => page.getByText('Advanced settings').click(),
      (page) => page.waitForTimeout(1500),
    ],
  ],
  ['Budget, cuts', 'first-start', [go('Budget'), (page) => page.getByText('What I choose').click()]],
  ['Budget, one aim', 'first-start', [go('Budget'), (page) => page.getByText('One aim').click()]],
  ['Calibrate, before', 'first-start', [go('Calibrate')]],
  ['Calibrate, running', 'selecting', [go('Calibrate')]],
  ['Calibrate, done', 'finished', [go('Calibrate')]],
  ['Compare', 'finished', [go('Compare')]],
  [
    'Compare, a point that is not trained',
    'few-points',
    [
      go('Compare'),
      (page) => page.getByRole('slider', { name: 'Number of skipped blocks' }).press('ArrowRight'),
    ],
  ],
  ['Compare, many prompts', 'finished', [go('Compare'), many]],
  ['Compare, many prompts with options', 'finished', [go('Compare'), many, openOptions, pasted]],
  ['Compare, many prompts answered', 'finished', [go('Compare'), many, openEarlier]],
  ['Compare, many prompts, blind', 'finished', [go('Compare'), many, openEarlier, press('Vote blind')]],
  ['Export', 'finished', [go('Export')]],
  ['Runs', 'finished', [go('Runs')]],
  ['Settings', 'first-start', [(page) => page.getByRole('button', { name: 'Settings' }).click()]],
];

describe.skipIf(!existsSync(CHROMIUM))(`axe finds nothing${why}`, () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof servePage>>;
  const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

  beforeAll(async () => {
    server = await servePage();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test.each(PLACES)('%s', async (_, scene, acts) => {
    const { page } = await openScene(browser, server.url, scene as never);
    for (const act of acts) await act(page);
    await page.evaluate(source);
    for (const colorScheme of ['light', 'dark'] as const) {
      // Colours that are on their way to others are neither.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.waitForTimeout(300);
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
        return (await axe.run()).violations.flatMap(({ id, nodes }) =>
          nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
        );
      });
      expect({ colorScheme, found }).toEqual({ colorScheme, found: [] });
    }
    await page.close();
  });
});
