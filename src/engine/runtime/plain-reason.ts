/**
 * The first line of what onnxruntime says is wrong, without what only its makers read: source files, functions, conditions.
 * No full stop at the end, for use within a sentence.
 */
export function plainReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const said = message.split(' was false. ').at(-1)!;
  return said
    .trim()
    .split('\n')[0]!
    .replace(/^Ort\w+: /, '')
    .replace(/\.? *$/, '');
}
