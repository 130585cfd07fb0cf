/** Work that nobody waits for gives way to what somebody does. */
import os from 'node:os';

/** The window and what else the user does come first; this process does nothing but its job. */
export function yieldToOthers(): void {
  try {
    os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where it is not allowed, the job runs at the usual priority.
  }
}
