import type { Bridge } from '../shared/contract.js';

declare global {
  interface Window {
    /** Given by the preload. */
    readonly hopscotch: Bridge;
  }
}
