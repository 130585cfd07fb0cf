/** Where the time of a session goes: read from the profile that onnxruntime writes of it. */

interface ProfileEvent {
  cat?: string;
  name?: string;
  /** Microseconds. */
  dur?: number;
}

const KERNEL = '_kernel_time';

/**
 * Kernel times leave out what lies between kernels, such as values that are handed in and out.
 * @param profile as onnxruntime writes it
 * @param nodes names of the model's nodes; the time of nodes that onnxruntime fused counts for the last of them
 * @returns by node its share of the time of all kernels
 */
export function kernelShares(profile: string, nodes: ReadonlySet<string>): Map<string, number> {
  const times = new Map<string, number>();
  let total = 0;
  for (const { cat, name, dur = 0 } of JSON.parse(profile) as ProfileEvent[]) {
    if (cat !== 'Node' || !name?.endsWith(KERNEL)) continue;
    const node = originalName(name.slice(0, -KERNEL.length), nodes);
    times.set(node, (times.get(node) ?? 0) + dur);
    total += dur;
  }
  return new Map([...times].map(([node, time]) => [node, time / total]));
}

/** A fused node is called 'NAME/SomeFusion/'. */
function originalName(name: string, nodes: ReadonlySet<string>): string {
  let known = name;
  while (!nodes.has(known) && known.includes('/')) known = known.slice(0, known.lastIndexOf('/'));
  return nodes.has(known) ? known : name;
}
