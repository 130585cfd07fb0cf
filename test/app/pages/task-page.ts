/** Step 2. */
import type { Locator, Page } from 'playwright-core';
import { task } from '../../../src/renderer/texts/task.js';

export class TaskPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get #content(): Locator {
    return this.#page.getByRole('main');
  }

  get openFile(): Locator {
    return this.#content.getByRole('button', { name: task.openFile }).first();
  }

  title(name: string): Locator {
    return this.#content.getByRole('heading', { name, level: 1, exact: true });
  }

  get reading(): Locator {
    return this.#content.getByRole('status').getByText(task.reading);
  }

  /** What the dataset is and how many rows it has. */
  facts(format: Parameters<typeof task.lead>[0], rows: number): Locator {
    return this.#content.getByText(task.lead(format, rows), { exact: true });
  }

  get rows(): Locator {
    return this.#content.getByRole('list', { name: task.previewTitle });
  }
}
