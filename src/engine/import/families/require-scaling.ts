/** Divisors of frequencies as a file has them: as many as there are frequencies, and numbers by which one can divide. */
import { UserError } from '../../../schema/errors.js';
import type { Scaling } from './rotary.js';

/**
 * @param count frequencies of a head
 * @param place named in the error
 * @throws UserError if the scaling is not one of so many frequencies
 */
export function requireScaling(scaling: Scaling, count: number, place: string): void {
  if (scaling.kind === 'divisors') requireDivisors(scaling.divisors, count, place);
  if (scaling.kind !== 'longrope') return;
  const { short, long, original, magnitude } = scaling;
  for (const divisors of [short, long]) requireDivisors(divisors, count, place);
  if (!Number.isInteger(original) || original < 2)
    throw new UserError(
      `${place} stretches positions for texts of more than ${original} tokens; it is damaged.`,
    );
  if (!(magnitude > 0 && magnitude < Infinity))
    throw new UserError(`${place} multiplies stretched positions by ${magnitude}; it is damaged.`);
}

function requireDivisors(divisors: ArrayLike<number>, count: number, place: string): void {
  if (divisors.length !== count)
    throw new UserError(
      `${place} stretches positions by ${divisors.length} factors, where its heads have ${count} frequencies; it is damaged or of another kind.`,
    );
  const wrong = Array.from(divisors).find((divisor) => !(divisor > 0 && divisor < Infinity));
  if (wrong !== undefined)
    throw new UserError(`${place} stretches positions by a factor of ${wrong}; it is damaged.`);
}
