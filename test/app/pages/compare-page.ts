/** Step 5. */
import type { Locator, Page } from 'playwright-core';
import { compare } from '../../../src/renderer/texts/compare.js';
import { ManyPromptsPage } from './many-prompts-page.js';

export class ComparePage {
  readonly many: ManyPromptsPage;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.many = new ManyPromptsPage(page);
  }

  async ask(prompt: string): Promise<void> {
    await this.#page.getByRole('textbox', { name: compare.promptLabel }).fill(prompt);
    await this.#page.getByRole('button', { name: compare.askBoth }).click();
  }

  pane(name: string): Locator {
    return this.#page.getByRole('region', { name, exact: true });
  }

  get original(): Locator {
    return this.pane(compare.original);
  }

  slimmed(blocks: number): Locator {
    return this.pane(compare.slimmed(blocks));
  }

  get stop(): Locator {
    return this.#page.getByRole('main').getByRole('button', { name: compare.stop, exact: true });
  }

  /** What is said of both answers together. */
  get verdict(): Locator {
    return this.#page
      .getByRole('main')
      .getByRole('status')
      .filter({ hasText: /same answer|answers differ/i });
  }

  /** Ready again after an answer. */
  async waitForAnswers(): Promise<void> {
    await this.#page.getByRole('button', { name: compare.askBoth }).waitFor();
  }
}
