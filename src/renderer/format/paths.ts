/** Paths for people: long ones keep their end, which tells them apart. */

export function fileName(path: string): string {
  return path.split(/[\\/]/).findLast(Boolean) ?? path;
}

export function shortPath(path: string, length = 60): string {
  if (path.length <= length) return path;
  const separator = path.includes('\\') && !path.includes('/') ? '\\' : '/';
  const parts = path.split(/[\\/]/);
  let end = parts.pop()!;
  while (parts.length > 0 && end.length + parts.at(-1)!.length + 3 <= length)
    end = `${parts.pop()!}${separator}${end}`;
  return `…${separator}${end}`;
}
