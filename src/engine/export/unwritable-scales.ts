/** What is said where scales cannot be written in a mode without changing what the model computes. */
import { UserError } from '../../schema/errors.js';
import type { ExportCheck } from './verify-export.js';

/** Scales cannot be written in one mode; in the other they may be. */
export class UnwritableScales extends UserError {
  /**
   * @param reason without a full stop
   * @param advice what to do where no other mode is tried
   */
  constructor(
    readonly reason: string,
    advice: string,
  ) {
    super(`${reason}; ${advice}.`);
  }
}

/** @throws UnwritableScales if the exported model is not the trained one */
export function requireSame(verification: ExportCheck): ExportCheck {
  if (verification.isSame) return verification;
  const { largestDifference, tolerance } = verification;
  throw new UnwritableScales(
    Number.isFinite(largestDifference)
      ? `The exported model's logits differ from the trained model's by ${largestDifference.toPrecision(3)} (allowed: ${tolerance.toPrecision(3)})`
      : "The exported model's logits, or the trained model's, are not finite numbers",
    'nothing was exported, so please report this model',
  );
}

/** Why scales that were to be folded are written explicitly, as one sentence. @param tense of a trial, or of an export */
export function explicitReason({ reason }: UnwritableScales, tense: 'were' | 'will be' = 'were'): string {
  return `The scales ${tense} written as factors of their own (explicitly), since they cannot be folded into the weights: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}.`;
}
