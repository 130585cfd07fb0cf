/** Step 5, where a list of prompts is asked. */
import type { Locator, Page } from 'playwright-core';
import { comparisons } from '../../../src/renderer/texts/comparisons.js';
import { counted } from '../../../src/renderer/format/numbers.js';

export class ManyPromptsPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get #content(): Locator {
    return this.#page.getByRole('main');
  }

  async open(): Promise<void> {
    await this.#content.getByText(comparisons.modes.many, { exact: true }).click();
  }

  get count(): Locator {
    return this.#content.getByLabel(comparisons.count);
  }

  get start(): Locator {
    return this.#content.getByRole('button', { name: comparisons.start, exact: true });
  }

  /** Of a comparison that is shown. */
  title(prompts: number, models: number): Locator {
    const words = new RegExp(`^${counted(prompts, 'prompt')} of .*, ${counted(models, 'model')}$`);
    return this.#content.getByRole('heading', { level: 2, name: words });
  }

  figure(name: string): Locator {
    return this.#content.getByRole('rowheader', { name });
  }

  /** One for each prompt. */
  get answers(): Locator {
    return this.#content.getByRole('list', { name: comparisons.rowsTitle }).getByRole('listitem');
  }
}
