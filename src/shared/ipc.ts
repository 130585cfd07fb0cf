/** Names of the channels between main and preload. */
export const IPC = {
  request: 'hopscotch:request',
  event: 'hopscotch:event',
  /** A line for the log from the preload. */
  fault: 'hopscotch:fault',
} as const;
