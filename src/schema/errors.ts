/** Errors that are meant for users, and that of a job that was stopped. */

interface UserErrorOptions extends ErrorOptions {
  /** What to type for it at the command line, which alone says it; the app has controls instead. */
  inCommands?: string;
}

/** The one kind of error whose message is meant for the user: what is wrong, where, and what to do about it. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly inCommands: string | undefined;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options);
    this.inCommands = options.inCommands;
  }
}

/** Thrown when what a job is asked for cannot be had of its model and task: going on would end there again. */
export class ImpossibleError extends UserError {}

/** Thrown when an execution provider other than the CPU fails at a model; the CPU may do better. */
export class ProviderFailure extends UserError {
  /**
   * @param provider onnxruntime's name of it
   * @param advice what to do about it, where that is known
   */
  constructor(
    readonly provider: 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml',
    readonly reason: string,
    advice?: string,
  ) {
    super(`The execution provider ${provider} failed (${reason})${advice ? `; ${advice}` : ''}.`);
  }
}

/** Thrown when a job is stopped through its AbortSignal; the job's checkpoint is complete up to that moment. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';

  constructor(message = 'The job was stopped.') {
    super(message);
  }
}

/** @throws CancelledError if the signal has been triggered */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError();
}
