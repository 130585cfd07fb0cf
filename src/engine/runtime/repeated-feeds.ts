/** Whether a segment is asked what it was asked the last time: then its last results are as good as new ones. */
import type { Feeds } from './session.js';
import type { RuntimeTensor } from './tensors.js';

/** Larger tensors are only the same where they are the same object: to compare them costs as much as a small layer. */
const COMPARED_VALUES = 65_536;

interface Seen {
  tensor: RuntimeTensor;
  /** As it was: scales are trained in place, in the very array that a tensor holds. Absent for large tensors. */
  values: ArrayLike<unknown> | undefined;
}

/** What was fed, as it was then. */
export type SeenFeeds = ReadonlyMap<string, Seen>;

export function rememberFeeds(feeds: Feeds, names: readonly string[]): SeenFeeds {
  return new Map(
    names.flatMap((name) => {
      const tensor = feeds[name];
      if (!tensor) return [];
      const data = tensor.data as unknown as { slice(): ArrayLike<unknown> };
      return [[name, { tensor, values: tensor.size > COMPARED_VALUES ? undefined : data.slice() }]];
    }),
  );
}

export function sameFeeds(feeds: Feeds, seen: SeenFeeds, names: readonly string[]): boolean {
  return names.every((name) => sameTensor(feeds[name], seen.get(name)));
}

function sameTensor(tensor: RuntimeTensor | undefined, seen: Seen | undefined): boolean {
  if (!tensor || !seen) return tensor === seen?.tensor;
  const { values } = seen;
  if (!values) return tensor === seen.tensor;
  if (tensor.type !== seen.tensor.type || tensor.size !== values.length) return false;
  if (tensor.dims.some((dim, axis) => dim !== seen.tensor.dims[axis])) return false;
  const data = tensor.data as unknown as ArrayLike<unknown>;
  for (let index = 0; index < data.length; index += 1) if (data[index] !== values[index]) return false;
  return true;
}
