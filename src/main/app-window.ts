/** The app's one window: shown, told of events, and asked before it closes. */
import type { BrowserWindow } from 'electron';
import { IPC } from '../shared/ipc.js';
import type { Emit } from './events.js';
import type { Log } from './log.js';
import type { AppStore } from './store.js';
import { openWindow } from './window.js';

export class AppWindow {
  /** Asked when the user closes the window; false keeps it open. */
  mayClose: () => boolean = () => true;
  /** Called whenever the user looks at the window again. */
  onFocus: () => void = () => undefined;
  readonly #store: AppStore;
  readonly #log: Log;
  #window: BrowserWindow | undefined;

  constructor(store: AppStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Undefined while no window is open, as on macOS after it was closed. */
  get current(): BrowserWindow | undefined {
    return this.#window?.isDestroyed() ? undefined : this.#window;
  }

  readonly tell: Emit = (name, payload) => this.current?.webContents.send(IPC.event, name, payload);

  /** Opens the window, or brings it to the front. */
  show(): void {
    const open = this.current;
    if (!open) return this.#open();
    if (open.isMinimized()) open.restore();
    open.focus();
  }

  #open(): void {
    const window = openWindow(this.#store);
    let isClosing = false;
    window.on('focus', () => this.onFocus());
    window.on('close', (event) => {
      isClosing = this.mayClose();
      if (!isClosing) event.preventDefault();
    });
    window.on('closed', () => (this.#window = undefined));
    window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
      if (reason === 'clean-exit') return;
      this.#log.write('error', `The page's process ended: ${reason}, code ${exitCode}`);
      if (!isClosing) window.reload();
    });
    this.#window = window;
  }
}
