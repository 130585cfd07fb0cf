import type { SelectionRound } from '../../schema/runs.js';
/** How much the loss rises when one block more is skipped, from what the rounds of a search recorded. */

/** For each round the rise of each block tried in it above the loss with the blocks that were skipped before. */
export function lossRises(
  rounds: readonly SelectionRound[],
  originalLoss: number | undefined,
): Record<string, number>[] {
  // Rises count from the original; without them the losses are the loss itself.
  let before = rounds[0]?.rises ? 0 : originalLoss;
  return rounds.map((round) => {
    const values = round.rises ?? round.losses;
    const start = before;
    const rises =
      start === undefined
        ? []
        : Object.entries(values).map(([block, value]): [string, number] => [block, value - start]);
    before = round.chosen === undefined ? before : values[round.chosen];
    return Object.fromEntries(rises);
  });
}

/** How much the loss rose with each block that was chosen, in their order; undefined where it is not known. */
export function chosenRises(
  rounds: readonly SelectionRound[],
  originalLoss: number | undefined,
): (number | undefined)[] {
  const rises = lossRises(rounds, originalLoss);
  return rounds.flatMap(({ chosen }, place) => (chosen === undefined ? [] : [rises[place]![chosen]]));
}
