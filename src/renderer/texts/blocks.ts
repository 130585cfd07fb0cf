/** 'attention blocks', '4 MLP blocks', '1 block'. */
export function blocksWords(kind: 'attention' | 'mlp' | 'both' = 'attention', count?: number): string {
  const name = { attention: 'attention ', mlp: 'MLP ', both: '' }[kind];
  if (count === undefined) return `${name}blocks`;
  return `${count} ${name}${count === 1 ? 'block' : 'blocks'}`;
}

/** 'attention 3' as people read it: 'attention of layer 3'. */
export function blockWords(block: string): string {
  const [kind, layer] = block.split(' ');
  return `${kind === 'mlp' ? 'MLP' : kind} of layer ${layer}`;
}
