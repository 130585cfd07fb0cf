/** What is fuzzed: an input as files in a folder, and what Hopscotch does with it. */
import type { Random } from './random.js';

export interface Kind {
  name: string;
  /** Writes a damaged input into an empty folder. */
  write(random: Random, folder: string): Promise<void> | void;
  /** Uses the folder as Hopscotch does. A UserError is a fine answer. */
  use(folder: string): Promise<void> | void;
}
