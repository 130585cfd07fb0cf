/** Step 6. */
import type { Locator, Page } from 'playwright-core';
import { exporting } from '../../../src/renderer/texts/export.js';

export class ExportPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get chooseFolder(): Locator {
    return this.#page.getByRole('main').getByRole('button', { name: exporting.choose, exact: true });
  }

  /** The folder above the export, once the page shows it. */
  async waitForFolder(folder: string): Promise<void> {
    await this.#page.getByRole('main').getByTitle(folder, { exact: true }).waitFor();
  }

  get name(): Locator {
    return this.#page.getByRole('textbox', { name: exporting.name });
  }

  get write(): Locator {
    return this.#page.getByRole('main').getByRole('button', { name: exporting.write, exact: true });
  }

  get problem(): Locator {
    return this.#page.getByText(exporting.problemTitle);
  }

  async waitUntilWritten(): Promise<void> {
    await this.#page.getByText(exporting.doneTitle).waitFor({ timeout: 120_000 });
  }
}
