/** Names side by side without what all of them begin with: 'SmolLM2, original' and 'SmolLM2, chat, 3 skipped' by their ends. */
export function shortNames(names: readonly string[]): string[] {
  const parts = names.map((name) => name.split(', '));
  const common = names.length < 2 ? 0 : commonParts(parts);
  return parts.map((own) => own.slice(common).join(', '));
}

/** One line of all: 'SmolLM2: original · chat, 3 skipped'. */
export function namesInLine(names: readonly string[]): string {
  const parts = names.map((name) => name.split(', '));
  const common = names.length < 2 ? 0 : commonParts(parts);
  const line = shortNames(names).join(' · ');
  return common === 0 ? line : `${parts[0]!.slice(0, common).join(', ')}: ${line}`;
}

/** A part is left of each. */
function commonParts(parts: readonly string[][]): number {
  const shortest = Math.min(...parts.map(({ length }) => length));
  let common = 0;
  while (common < shortest - 1 && parts.every((own) => own[common] === parts[0]![common])) common += 1;
  return common;
}
