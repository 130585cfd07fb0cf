/** Whether a segment is asked what it was asked the last time: then its last results are as good as new ones. */
import type { Feeds } from './session.js';
import type { RuntimeTensor } from './tensors.js';

/** Larger tensors are only the same where they are the same object: to compare them costs as much as a small layer. */
const COMPARED_VALUES = 65_536;

export function sameFeeds(feeds: Feeds, others: Feeds, names: readonly string[]): boolean {
  return names.every((name) => sameTensor(feeds[name], others[name]));
}

function sameTensor(a: RuntimeTensor | undefined, b: RuntimeTensor | undefined): boolean {
  if (a === b) return true;
  if (!a || !b || a.type !== b.type || a.size !== b.size || a.size > COMPARED_VALUES) return false;
  if (a.dims.some((dim, axis) => dim !== b.dims[axis])) return false;
  const [own, other] = [a.data, b.data] as unknown as ArrayLike<unknown>[];
  for (let index = 0; index < own!.length; index += 1) if (own![index] !== other![index]) return false;
  return true;
}
