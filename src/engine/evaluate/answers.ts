/** Comparing generated answers with expected ones. */

/** Answers are the same but for space around them and runs of white space within. */
export function isExactMatch(answer: string, expected: string): boolean {
  return normalise(answer) === normalise(expected);
}

function normalise(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

/** '#### 1,234', '#### -$5', '#### **.5**': sign and digits. */
const FINAL_NUMBER = /^####\s*\**([+-]?)\p{Sc}?([+-]?(?:\d[\d,]*)?\.?\d+)/u;

/** The number N of an answer that ends in '#### N' (GSM8K's form), without thousands separators; else undefined. */
export function finalNumber(answer: string): number | undefined {
  const match = FINAL_NUMBER.exec(answer.slice(answer.lastIndexOf('####')));
  if (!match) return undefined;
  const value = Number(`${match[1]}${match[2]}`.replaceAll(',', ''));
  return Number.isFinite(value) ? value : undefined;
}

/** Whether both end in the same number; undefined if the expected answer does not end in '#### N'. */
export function isNumericMatch(answer: string, expected: string): boolean | undefined {
  const wanted = finalNumber(expected);
  return wanted === undefined ? undefined : finalNumber(answer) === wanted;
}
