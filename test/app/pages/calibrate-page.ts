/** Step 4. */
import type { Locator, Page } from 'playwright-core';
import { calibrate } from '../../../src/renderer/texts/calibrate.js';

export class CalibratePage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  button(name: 'stop' | 'resume' | 'askForOther'): Locator {
    return this.#page.getByRole('main').getByRole('button', { name: calibrate[name], exact: true });
  }

  get title(): Locator {
    return this.#page.getByRole('main').getByRole('heading', { level: 1 });
  }

  async waitForTitle(title: string, timeout = 180_000): Promise<void> {
    await this.title.filter({ hasText: title }).waitFor({ timeout });
  }

  async waitUntilDone(blocks: number, timeout?: number): Promise<void> {
    await this.waitForTitle(calibrate.done(blocks, 'attention'), timeout);
  }
}
