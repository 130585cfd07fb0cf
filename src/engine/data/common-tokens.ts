/** With how many of the same tokens all texts begin: a system prompt, a template, instructions. */
export function commonTokens(texts: readonly (readonly number[])[]): number {
  const [first, ...others] = texts;
  if (!first) return 0;
  const end = first.findIndex((id, at) => others.some((ids) => ids[at] !== id));
  return end < 0 ? Math.min(...texts.map(({ length }) => length)) : end;
}
