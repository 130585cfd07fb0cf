/** Words that several screens share. */
export const common = {
  cancel: 'Cancel',
  back: 'Back',
  retry: 'Try again',
  copied: 'Copied',
  estimate: 'estimate',
  failures: {
    user: 'That did not work',
    cancelled: 'Stopped',
    crashed: 'The engine stopped unexpectedly',
    refused: 'The app did not understand itself',
    unexpected: 'A fault of Hopscotch',
  },
  dismiss: 'Dismiss',
} as const;
