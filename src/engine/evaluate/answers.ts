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

/** Digits with separators of thousands, a fraction, a sign; not those within a word. */
const NUMBER = /(?<![\p{L}\d.,])[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?![\p{L}\d])/gu;

/** The last number of a text, without separators of thousands; undefined where there is none. */
export function lastNumber(text: string): number | undefined {
  const found = text.match(NUMBER)?.at(-1);
  return found === undefined ? undefined : Number(found.replaceAll(',', ''));
}

/**
 * Whether the last number of an answer is the expected one. Undefined where the expected answer neither ends in
 * '#### N' nor is a number by itself ('42', '$1,200', '15 %').
 */
export function isNumberRight(answer: string, expected: string): boolean | undefined {
  const wanted = finalNumber(expected) ?? bareNumber(expected);
  return wanted === undefined ? undefined : (finalNumber(answer) ?? lastNumber(answer)) === wanted;
}

function bareNumber(text: string): number | undefined {
  return /^[\p{Sc}\s]*[+-]?[\d.,]+[\s%\p{Sc}.]*$/u.test(text) ? lastNumber(text) : undefined;
}

/** Whether an answer is right: by its number where one is expected, else word for word. */
export function isRight(answer: string, expected: string): boolean {
  return isNumberRight(answer, expected) ?? isExactMatch(answer, expected);
}

/** How far an answer is from another, 0 to 1: the share of words that only one of the two has; 0 only for the same. */
export function disagreement(answer: string, other: string): number {
  if (isExactMatch(answer, other)) return 0;
  const [a, b] = [wordsOf(answer), wordsOf(other)];
  const counts = new Map<string, number>();
  for (const word of a) counts.set(word, (counts.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of b) {
    const left = counts.get(word) ?? 0;
    if (left === 0) continue;
    shared += 1;
    counts.set(word, left - 1);
  }
  // The same words in another order differ, too.
  return Math.max(0.01, 1 - (2 * shared) / Math.max(1, a.length + b.length));
}

function wordsOf(text: string): string[] {
  return normalise(text).split(' ').filter(Boolean);
}
