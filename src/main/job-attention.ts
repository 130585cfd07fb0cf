/** What the desktop shows of a job: progress at the app's icon, a notification and a badge at its end. */
import { Notification, app, powerSaveBlocker } from 'electron';
import { isBusy } from '../shared/job-status.js';
import type { AppWindow } from './app-window.js';
import type { Events } from './events.js';
import type { AppStore } from './store.js';
import { TEXTS } from './texts.js';

export class JobAttention {
  readonly #window: AppWindow;
  readonly #store: AppStore;
  #isBusy = false;
  #awake: number | undefined;

  constructor(window: AppWindow, store: AppStore) {
    this.#window = window;
    this.#store = store;
  }

  follow(events: Events): void {
    events.on('job.event', ({ event }) => {
      if (event.type === 'progress') this.#showProgress(event.total === 0 ? 2 : event.done / event.total);
    });
    events.on('job.changed', ({ status }) => {
      this.#isBusy = isBusy(status);
      this.#keepAwake();
      if (!this.#isBusy) this.#showProgress(-1);
    });
    events.on('settings.changed', () => this.#keepAwake());
    events.on('job.finished', ({ run, report }) =>
      this.#tell(TEXTS.finished.title, TEXTS.finished.body(run.modelName, report.chosenPoint ?? 0)),
    );
    events.on('job.failed', ({ message, status }) => this.#tell(TEXTS[status].title, message));
    this.#window.onFocus = () => this.#takeBack();
  }

  /** @param share from 0 to 1; -1: there is none, above 1: it is not known */
  #showProgress(share: number): void {
    this.#window.current?.setProgressBar(share);
  }

  /** Keeps the machine from falling asleep while a job runs, if the user allows; the screen may turn off. */
  #keepAwake(): void {
    const isWanted = this.#isBusy && this.#store.settings.keepAwake;
    if (isWanted && this.#awake === undefined) {
      this.#awake = powerSaveBlocker.start('prevent-app-suspension');
    } else if (!isWanted && this.#awake !== undefined) {
      powerSaveBlocker.stop(this.#awake);
      this.#awake = undefined;
    }
  }

  /** The user looks at the window: nothing more to point at. */
  #takeBack(): void {
    app.setBadgeCount(0);
    this.#window.current?.flashFrame(false);
  }

  #tell(title: string, body: string): void {
    const window = this.#window.current;
    if (!window || window.isFocused()) return;
    app.setBadgeCount(1);
    window.flashFrame(true);
    if (!this.#store.settings.notifications || !Notification.isSupported()) return;
    const notification = new Notification({ title, body });
    notification.on('click', () => {
      window.show();
      window.focus();
    });
    notification.show();
  }
}
