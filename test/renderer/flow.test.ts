/** The whole way from the first start to the export, in Chromium, on a job that was recorded. */
import { existsSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, launchBrowser, openScene, servePage } from './support/browser.mjs';

let browser: Browser;
let server: Awaited<ReturnType<typeof servePage>>;

const heading = (page: Page) => page.getByRole('main').getByRole('heading', { level: 1 });
/** Where on the curve's axis the picture shows the handle: the middle of what is red below the plot. */
async function handlePlace(curve: Locator): Promise<number> {
  const middle = await curve.locator('canvas').evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const top = canvas.height - 26 * devicePixelRatio;
    const { data, width } = canvas.getContext('2d')!.getImageData(0, top, canvas.width, canvas.height - top);
    const red: number[] = [];
    for (let at = 0; at < data.length; at += 4)
      if (data[at]! > 190 && data[at + 1]! < 110 && data[at + 2]! < 70) red.push((at / 4) % width);
    return red.reduce((sum, x) => sum + x, 0) / red.length / devicePixelRatio;
  });
  const canvas = (await curve.locator('canvas').boundingBox())!;
  const plot = (await curve.locator('.u-over').boundingBox())!;
  return ((middle + canvas.x - plot.x) / plot.width) * 6.6 - 0.3;
}
const step = (page: Page, name: string) => page.getByRole('navigation').getByRole('button', { name });

const why = existsSync(CHROMIUM) ? '' : ` (skipped: there is no ${CHROMIUM})`;

describe.skipIf(!existsSync(CHROMIUM))(`the page in Chromium${why}`, () => {
  beforeAll(async () => {
    server = await servePage();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test('one click runs everything; the result is compared and exported', async () => {
    const { page, errors } = await openScene(browser, server.url, 'first-start', { speed: 150 });
    await page.getByRole('button', { name: 'Slim', exact: true }).click();
    await heading(page).filter({ hasText: 'Calibrating' }).waitFor();
    await page.getByText(/Round \d+: trying without attention of layer/).waitFor();
    await page.getByRole('gridcell', { name: /skipped first/ }).waitFor();
    await heading(page).filter({ hasText: 'Done: 6 attention blocks skipped' }).waitFor({ timeout: 30_000 });

    await page.getByRole('button', { name: 'Next: Compare' }).click();
    await heading(page).filter({ hasText: 'Answers match the original on 5 of 64' }).waitFor();
    await page.getByRole('slider', { name: 'Number of skipped blocks' }).press('Home');
    await heading(page).filter({ hasText: 'Answers match the original on 64 of 64' }).waitFor();
    await page.getByRole('textbox', { name: 'Prompt' }).fill('Mia has 58 keys. Mia buys 17 more.');
    await page.getByRole('textbox', { name: 'Prompt' }).press('Enter');
    await page.getByText(/of \d+ tokens differ/).waitFor();

    await page.getByRole('button', { name: 'Next: Export' }).click();
    await page.getByRole('main').getByRole('button', { name: 'Export', exact: true }).click();
    await page.getByText('Written and checked').waitFor();
    expect(errors).toEqual([]);
  });

  test('the curve is the picker: points are clicked, or walked to by keys', async () => {
    const { page } = await openScene(browser, server.url, 'finished');
    await step(page, 'Compare').click();
    const curve = page.getByRole('slider', { name: 'Number of skipped blocks' });
    const selected = async () => Number(await curve.getAttribute('aria-valuenow'));
    await expect.poll(selected).toBe(3);
    for (const [key, blocks] of [
      ['ArrowRight', 4],
      ['End', 6],
      ['ArrowUp', 6],
      ['ArrowLeft', 5],
      ['Home', 1],
    ] as const) {
      await curve.press(key);
      expect(await selected()).toBe(blocks);
    }
    // The plot reaches from 0.3 before the original to 0.3 after the last point.
    const plot = (await curve.locator('.u-over').boundingBox())!;
    const click = (blocks: number) =>
      page.mouse.click(plot.x + (plot.width * (blocks + 0.3)) / 6.6, plot.y + plot.height / 2);
    await click(4.3);
    await expect.poll(selected).toBe(4);
    await expect.poll(async () => Math.abs((await handlePlace(curve)) - 4)).toBeLessThan(0.2);
    await click(0);
    await expect.poll(selected).toBe(1);
    expect(await curve.getAttribute('aria-valuetext')).toMatch(/^1 block, quality 100/);
  });

  test('a point that is not trained is drawn as estimated, and one click trains it, another one queues the next', async () => {
    const { page, errors } = await openScene(browser, server.url, 'few-points', { speed: 20 });
    await step(page, 'Compare').click();
    const curve = page.getByRole('slider', { name: 'Number of skipped blocks' });
    await expect.poll(() => curve.getAttribute('aria-valuenow')).toBe('3');
    await curve.press('ArrowRight');
    expect(await curve.getAttribute('aria-valuetext')).toMatch(
      /^4 blocks, quality about \d+.*not trained yet$/,
    );
    await page.getByRole('button', { name: /^Train 4 blocks/ }).click();
    await page.getByText('Training with 4 blocks skipped').first().waitFor();
    await curve.press('ArrowRight');
    await page.getByRole('button', { name: /^Then train 5 blocks/ }).click();
    await page.getByText('Training with 4 blocks skipped, then 5').first().waitFor();
    await expect
      .poll(() => curve.getAttribute('aria-valuetext'), { timeout: 10_000 })
      .toMatch(/^5 blocks, quality \d+(?!.*not trained)/);
    await heading(page).filter({ hasText: 'Answers match the original' }).waitFor();
    expect(errors).toEqual([]);
  });

  test('the line of the loss grows while the first scales are learnt', async () => {
    const { page } = await openScene(browser, server.url, 'selecting', { speed: 60 });
    await step(page, 'Calibrate').click();
    await page.getByText(/with 6 blocks skipped: epoch (?:[5-9]|1\d) of/).waitFor({ timeout: 30_000 });
    const drawn = await page
      .getByRole('img', { name: /^Loss by epoch with 6 blocks skipped/ })
      .locator('canvas')
      .evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        let teal = 0;
        for (let at = 0; at < data.length; at += 4)
          if (data[at]! < 40 && data[at + 1]! > 60 && data[at + 2]! > 70 && data[at + 3]! > 200) teal += 1;
        return teal;
      });
    expect(drawn).toBeGreaterThan(100);
  });

  test('stopped before the first point: a sentence and Resume, no empty charts', async () => {
    const { page, errors } = await openScene(browser, server.url, 'stopped-early', { speed: 150 });
    await step(page, 'Calibrate').click();
    await page.getByText('stopped before the first point of its curve was measured').waitFor();
    expect(await page.getByRole('main').getByRole('img').count()).toBe(0);
    await step(page, 'Compare').click();
    await page.getByText('No point of this run’s curve is measured yet.').waitFor();
    await step(page, 'Calibrate').click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await heading(page).filter({ hasText: 'Done: 6 attention blocks skipped' }).waitFor({ timeout: 30_000 });
    expect(errors).toEqual([]);
  });

  test('stopping keeps everything, resuming goes on', async () => {
    const { page, errors } = await openScene(browser, server.url, 'selecting', { speed: 5 });
    await step(page, 'Calibrate').click();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await heading(page).filter({ hasText: 'Stopped' }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await heading(page).filter({ hasText: 'Calibrating' }).waitFor();
    expect(errors).toEqual([]);
  });

  test('a crash of the engine: what happened, and the way on', async () => {
    const { page } = await openScene(browser, server.url, 'crashed');
    await step(page, 'Calibrate').click();
    await page.getByText('Nothing that was finished is lost.').waitFor();
    expect(await page.getByRole('button', { name: 'Resume' }).isEnabled()).toBe(true);
  });

  test('what cannot be had: why, and the way to ask for something else, but none to go on', async () => {
    const { page, errors } = await openScene(browser, server.url, 'impossible');
    await step(page, 'Calibrate').click();
    await heading(page).filter({ hasText: 'Not possible as asked' }).waitFor();
    await page.getByText('No block can be skipped within a loss of 0.0 %').waitFor();
    expect(await page.getByRole('button', { name: 'Resume' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Change the budget' }).click();
    await heading(page).filter({ hasText: 'How much to skip' }).waitFor();
    expect(errors).toEqual([]);
  });

  test('by keyboard alone: Slim leads into Calibrate, and the keyboard goes on there', async () => {
    const { page } = await openScene(browser, server.url, 'first-start', { speed: 1 });
    await page.getByRole('button', { name: 'Slim', exact: true }).press('Enter');
    await heading(page).filter({ hasText: 'Calibrating' }).waitFor();
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('MAIN');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Stop');
  });

  test('by keyboard alone: from the bar to the strip', async () => {
    const { page } = await openScene(browser, server.url, 'first-start');
    const seen = new Set<string>();
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate(() => {
        const element = document.activeElement!;
        return element.getAttribute('aria-label') ?? element.textContent!.trim();
      });
      if (seen.has(name) && name.startsWith('Layer 0')) break;
      seen.add(name);
    }
    const reached = [...seen].join('\n');
    for (const name of ['Settings', 'Runs', 'Open folder', 'Slim']) expect(reached).toContain(name);
    expect([...seen].filter((name) => name.startsWith('Layer '))).toHaveLength(1);
  });

  test.each([
    ['first-start', { width: 1024, height: 700 }],
    // A screen of 1366 x 768 at 125 %, less what the system's and the window's own bars take.
    ['first-start', { width: 1024, height: 500 }],
    ['finished', { width: 1024, height: 500 }],
    ['hundred-layers', { width: 1024, height: 700 }],
    ['finished', { width: 1600, height: 1000 }],
  ] as const)('nothing is clipped: %s at %o', async (scene, viewport) => {
    const { page, errors } = await openScene(browser, server.url, scene, { viewport });
    for (const name of ['Model', 'Task', 'Budget', 'Calibrate', 'Compare', 'Export', 'Runs']) {
      await step(page, name).click();
      await page.waitForTimeout(150);
      const outside = await page.evaluate(() => {
        const main = document.querySelector('main')!;
        const { right, left } = main.getBoundingClientRect();
        const scrolls = (element: Element) =>
          element.closest('pre, .table, .text, .visually-hidden, [popover], svg, ol[tabindex]') !== null;
        return [...main.querySelectorAll('*')]
          .filter((element) => !scrolls(element))
          .filter((element) => {
            const box = element.getBoundingClientRect();
            return box.width > 0 && (box.right > right + 1 || box.left < left - 1);
          })
          .map((element) => `${element.tagName}.${element.className} ${element.textContent?.slice(0, 40)}`);
      });
      expect({ name, outside }).toEqual({ name, outside: [] });
      const overflow = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
      expect({ name, overflow }).toEqual({ name, overflow: 0 });
    }
    const strip = page.getByRole('grid');
    const [grid, last] = await Promise.all([
      strip.boundingBox(),
      strip.getByRole('gridcell').last().boundingBox(),
    ]);
    expect(last!.x + last!.width).toBeLessThanOrEqual(grid!.x + grid!.width + 1);
    expect(last!.width).toBeGreaterThan(4);
    expect(errors).toEqual([]);
  });

  test('two hundred runs open at once and are all there at the end of the scroll', async () => {
    const { page, errors } = await openScene(browser, server.url, 'many-runs');
    await step(page, 'Runs').click();
    await page.getByRole('button', { name: 'Run 200', exact: true }).waitFor();
    expect(await page.getByRole('checkbox').count()).toBeLessThan(100);
    const oldest = page.getByRole('button', { name: 'Run 1', exact: true });
    await expect
      .poll(
        async () => {
          await page.getByRole('main').press('End');
          return await oldest.isVisible();
        },
        { timeout: 10_000 },
      )
      .toBe(true);
    expect(errors).toEqual([]);
  });

  test('frames stay short while a job’s events stream in', async () => {
    const { page } = await openScene(browser, server.url, 'selecting', { speed: 30 });
    await step(page, 'Calibrate').click();
    const longest = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let worst = 0;
          let last = performance.now();
          const end = last + 3000;
          const tick = (now: number) => {
            worst = Math.max(worst, now - last);
            last = now;
            if (now < end) requestAnimationFrame(tick);
            else resolve(worst);
          };
          requestAnimationFrame(tick);
        }),
    );
    console.log(`longest frame ${longest.toFixed(0)} ms`);
    expect(longest).toBeLessThan(250);
  });
});
