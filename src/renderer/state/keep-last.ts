/**
 * The function, giving its last result again as long as its arguments are the same. What hangs on the result is then
 * not computed and drawn anew with each event of a job.
 */
export function keepLast<Arguments extends unknown[], Result>(
  compute: (...given: Arguments) => Result,
): (...given: Arguments) => Result {
  let last: { given: Arguments; result: Result } | undefined;
  return (...given) => {
    const kept = last;
    if (kept?.given.every((argument, place) => Object.is(argument, given[place]))) return kept.result;
    const result = compute(...given);
    last = { given, result };
    return result;
  };
}
