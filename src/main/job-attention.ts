/** What the desktop shows of a job: progress at the app's icon, a notification and a badge at its end. */
import { Notification, app, powerSaveBlocker, type BrowserWindow } from 'electron';
import type { EventPayload } from '../shared/contract.js';
import type { AppSettings } from '../shared/app.js';
import { TEXTS } from './texts.js';

export class JobAttention {
  readonly #window: () => BrowserWindow | undefined;
  readonly #settings: () => AppSettings;
  #awake: number | undefined;

  constructor(window: () => BrowserWindow | undefined, settings: () => AppSettings) {
    this.#window = window;
    this.#settings = settings;
  }

  onProgress(done: number, total: number): void {
    this.#window()?.setProgressBar(total === 0 ? 2 : done / total);
  }

  /** Keeps the machine from falling asleep while a job runs. */
  onBusy(isBusy: boolean): void {
    if (isBusy && this.#awake === undefined && this.#settings().keepAwake) {
      this.#awake = powerSaveBlocker.start('prevent-app-suspension');
    } else if (!isBusy && this.#awake !== undefined) {
      powerSaveBlocker.stop(this.#awake);
      this.#awake = undefined;
    }
    if (!isBusy) this.#window()?.setProgressBar(-1);
  }

  onFinished({ run, report }: EventPayload<'job.finished'>): void {
    this.#tell(TEXTS.finished.title, TEXTS.finished.body(run.modelName, report.chosenPoint ?? 0));
  }

  onFailed({ message }: EventPayload<'job.failed'>): void {
    this.#tell(TEXTS.failed.title, message);
  }

  /** The user looks at the window: nothing more to point at. */
  onFocus(): void {
    app.setBadgeCount(0);
    this.#window()?.flashFrame(false);
  }

  #tell(title: string, body: string): void {
    const window = this.#window();
    if (!window || window.isFocused()) return;
    app.setBadgeCount(1);
    window.flashFrame(true);
    if (!this.#settings().notifications || !Notification.isSupported()) return;
    const notification = new Notification({ title, body });
    notification.on('click', () => {
      window.show();
      window.focus();
    });
    notification.show();
  }
}
