/** The app's frame: the steps, the one click. */
import type { Locator, Page } from 'playwright-core';
import { frame } from '../../../src/renderer/texts/frame.js';
import type { Step } from '../../../src/shared/steps.js';
import { BudgetPage } from './budget-page.js';
import { CalibratePage } from './calibrate-page.js';
import { ComparePage } from './compare-page.js';
import { ExportPage } from './export-page.js';
import { TaskPage } from './task-page.js';

export class AppPage {
  readonly task: TaskPage;
  readonly budget: BudgetPage;
  readonly calibrate: CalibratePage;
  readonly compare: ComparePage;
  readonly export: ExportPage;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
    this.task = new TaskPage(page);
    this.budget = new BudgetPage(page);
    this.calibrate = new CalibratePage(page);
    this.compare = new ComparePage(page);
    this.export = new ExportPage(page);
  }

  get slimButton(): Locator {
    return this.#page.locator('footer').getByRole('button', { name: frame.slim, exact: true });
  }

  /** What one click will do, or why it cannot. */
  get promise(): Locator {
    return this.#page.locator('footer').getByRole('paragraph');
  }

  get content(): Locator {
    return this.#page.getByRole('main');
  }

  step(step: Exclude<Step, 'settings'>): Locator {
    return this.#page.getByRole('navigation').getByRole('button', { name: frame.steps[step] });
  }

  async go(step: Exclude<Step, 'settings'>): Promise<void> {
    await this.step(step).click();
  }
}
