/** Text of an untrusted file inside of a sentence for people. */

const LONGEST = 80;

/** In quotes, on one line, without signs that a terminal would obey, and not longer than a line; lists and objects as such. */
export function quoted(text: unknown): string {
  if (typeof text === 'object' && text !== null) return Array.isArray(text) ? "'[...]'" : "'{...}'";
  const plain = String(text).replaceAll(/[\p{C}\p{Z}]+/gu, ' ');
  return `'${plain.length > LONGEST ? `${plain.slice(0, LONGEST)}...` : plain}'`;
}
