/** Debian's Chromium on the page with its stand-in host; for tests, and for `npm run screenshots`. */
import path from 'node:path';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';

const configFile = path.resolve(import.meta.dirname, '../web-host/vite.config.ts');

export const CHROMIUM = process.env.HOPSCOTCH_CHROMIUM ?? '/usr/bin/chromium';

/** Builds the page and serves it. */
export async function servePage() {
  await build({ configFile, logLevel: 'error', build: { chunkSizeWarningLimit: 2000 } });
  const server = await preview({ configFile, logLevel: 'error', preview: { port: 0, host: '127.0.0.1' } });
  const { port } = server.httpServer.address();
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

export async function launchBrowser() {
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Opens a scene; what the page reports as errors is collected. */
export async function openScene(browser, url, scene, { speed = 0, ...context } = {}) {
  const page = await browser.newPage({ viewport: { width: 1024, height: 700 }, ...context });
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(`${url}?scene=${scene}&speed=${speed}`);
  await page.getByRole('grid').or(page.getByText('The layers of your model')).first().waitFor();
  return { page, errors };
}
