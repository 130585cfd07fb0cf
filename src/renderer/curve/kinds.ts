/** Which kinds of blocks may be skipped, as the user says it and as a list. */
import type { JobChoices } from '../../schema/settings.js';
import type { SkippableKind } from '../../schema/blocks.js';

export type KindChoice = NonNullable<JobChoices['kind']>;

/** Empty while nothing is chosen and the engine's default is not known. */
export function kindsOf(choice: KindChoice | undefined): SkippableKind[] {
  if (choice === undefined) return [];
  return choice === 'both' ? ['attention', 'mlp'] : [choice];
}
