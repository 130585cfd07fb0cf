/** What the process tells its caller; documented in the help texts and the README. */
export const EXIT_CODES = {
  done: 0,
  /** A fault of Hopscotch itself. */
  unexpected: 1,
  /** Something that the user can mend: arguments, model, dataset, disk... */
  userError: 2,
  /** Stopped by Ctrl-C (128 + SIGINT, as shells do); `slim --resume` goes on. */
  stopped: 130,
} as const;

export const EXIT_CODE_HELP = `
Exit codes: ${EXIT_CODES.done} done, ${EXIT_CODES.userError} wrong input (one sentence on standard error says what to do),
${EXIT_CODES.stopped} stopped by Ctrl-C, ${EXIT_CODES.unexpected} a fault of Hopscotch itself.`;
