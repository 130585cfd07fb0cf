/** Step 3. */
import type { Locator, Page } from 'playwright-core';
import { budget } from '../../../src/renderer/texts/budget.js';

export class BudgetPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  get #content(): Locator {
    return this.#page.getByRole('main');
  }

  get amount(): Locator {
    return this.#content.getByRole('slider', { name: budget.amountLabel });
  }

  /** "of 6 that may be skipped" */
  ofLargest(largest: number): Locator {
    return this.#content.getByText(budget.ofLargest(largest), { exact: true });
  }

  kind(kind: keyof typeof budget.blocks): Locator {
    return this.#content
      .getByRole('group', { name: budget.blocksLabel })
      .getByText(budget.blocks[kind], { exact: true });
  }

  get #estimate(): Locator {
    return this.#page.locator('section', {
      has: this.#page.getByRole('heading', { name: budget.estimateTitle }),
    });
  }

  /** How long a run will take; there once it is measured. */
  get time(): Locator {
    return this.#estimate.getByText(/^about .*\d/).first();
  }

  get stopMeasuring(): Locator {
    return this.#estimate.getByRole('button', { name: budget.stopMeasuring });
  }

  get measuringStopped(): Locator {
    return this.#estimate.getByText(budget.measuringStopped);
  }

  get measureAgain(): Locator {
    return this.#estimate.getByRole('button', { name: budget.measureAgain });
  }
}
