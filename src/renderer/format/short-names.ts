/** Names side by side without what all of them begin with: 'SmolLM2, original' and 'SmolLM2, chat, 3 skipped' by their ends. */
export function shortNames(names: readonly string[]): string[] {
  const parts = names.map((name) => name.split(', '));
  const shortest = Math.min(...parts.map(({ length }) => length));
  let common = 0;
  while (common < shortest - 1 && parts.every((own) => own[common] === parts[0]![common])) common += 1;
  return names.length < 2 ? [...names] : parts.map((own) => own.slice(common).join(', '));
}
