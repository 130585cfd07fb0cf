/** What an exported folder says about how it came to be. */
import type { MadeCut } from '../../schema/cuts.js';
import type { Granularity } from '../../schema/settings.js';

/** What the exported folder says about how it came to be. */
export interface ExportRecord {
  modelName: string;
  taskName: string;
  strategy: string;
  granularity: Granularity;
  /** Measured figures, for the record in hopscotch.json and the README: [name, original, slimmed]. */
  /** Cuts made before, in their order. */
  cuts?: readonly MadeCut[];
  /** Bytes of the files of the model as it was before them; absent: of the source. */
  originalBytes?: number;
  figures: readonly (readonly [string, string, string])[];
}
