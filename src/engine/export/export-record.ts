/** What an exported folder says about how it came to be. */
import type { Granularity } from '../../schema/settings.js';

/** What the exported folder says about how it came to be. */
export interface ExportRecord {
  modelName: string;
  taskName: string;
  strategy: string;
  granularity: Granularity;
  /** Measured figures, for the record in hopscotch.json and the README: [name, original, slimmed]. */
  figures: readonly (readonly [string, string, string])[];
}
