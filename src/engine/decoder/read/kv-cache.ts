/** The key and value cache of an attention block: past inputs and present outputs, found by where they flow. */
import { UserError } from '../../../schema/errors.js';
import { isFloatingPoint } from '../../onnx/graph/data-types.js';
import { declaredDims, declaredType } from '../../onnx/graph/value-info.js';
import type { Attention } from './attention.js';
import type { DataFlow } from './data-flow.js';
import type { CacheEntry } from '../decoder.js';

/**
 * @param input the value of the residual stream that the block reads
 * @param stream all values of the residual stream
 * @param outputs graph outputs that the block makes
 * @param block named in errors: 'attention 3'
 * @returns undefined if the block's keys and values come from the stream alone
 * @throws UserError if keys and values come from other inputs than a cache (as in an encoder-decoder)
 */
export function findCache(
  flow: DataFlow,
  attention: Attention,
  input: string,
  stream: ReadonlySet<string>,
  outputs: readonly string[],
  block: string,
): CacheEntry | undefined {
  const pastsOf = (values: readonly string[]) =>
    [...flow.sources(values, stream).inputs].filter((name) => isFloatInput(flow, name));
  refuseShared(flow, [...attention.keys, ...attention.values], input, stream, block);
  const own = cacheOfOperator(flow, attention, outputs);
  if (own) return own;
  const keys = pastsOf(attention.keys);
  const values = pastsOf(attention.values);
  const all = [...new Set([...keys, ...values])];
  if (all.length === 0) return undefined;
  const presentOf = (past: string) => outputs.filter((output) => pastsOf([output]).includes(past));
  const lost = all.find((past) => presentOf(past).length === 0);
  if (lost !== undefined || all.some((past) => ![4, 5].includes(rank(flow, past)))) {
    const name = lost ?? all.find((past) => ![4, 5].includes(rank(flow, past)));
    throw new UserError(
      `The keys and values of ${block} come from the input '${name}', which is no key-value cache with a present output; Hopscotch reads decoder-only models, not encoder-decoders.`,
    );
  }
  const [key, value] = [keys[0], values[0]];
  if (keys.length !== 1 || values.length !== 1 || key === undefined || value === undefined) {
    throw new UserError(
      `The key-value cache of ${block} should be one input for keys and one for values, but it reads ${all.map((name) => `'${name}'`).join(', ')}; this layout is not supported.`,
    );
  }
  const present = (past: string) => presentOf(past)[0]!;
  if (key === value) return { layout: 'packed', past: key, present: present(key) };
  return {
    layout: 'separate',
    pastKey: key,
    pastValue: value,
    presentKey: present(key),
    presentValue: present(value),
  };
}

/** The cache that an attention operator reads and writes itself, if it does. */
function cacheOfOperator(
  flow: DataFlow,
  { fused }: Attention,
  outputs: readonly string[],
): CacheEntry | undefined {
  if (!fused) return undefined;
  const { node, operator } = fused;
  const pasts = operator.past.map((index) => flow.origin(node.input[index] ?? ''));
  const presents = operator.present.map((index) =>
    outputs.find((output) => flow.origin(output) === node.output[index]),
  );
  if (pasts.some((name) => !flow.graph.input(name)) || presents.includes(undefined)) return undefined;
  const [pastKey, pastValue] = pasts as [string, string | undefined];
  const [presentKey, presentValue] = presents as [string, string | undefined];
  return pastValue === undefined || presentValue === undefined
    ? { layout: 'packed', past: pastKey, present: presentKey }
    : { layout: 'separate', pastKey, pastValue, presentKey, presentValue };
}

/** Refuses keys and values that are made of another value of the stream than the block's own. */
function refuseShared(
  flow: DataFlow,
  operands: readonly string[],
  input: string,
  stream: ReadonlySet<string>,
  block: string,
): void {
  const { reached } = flow.sources(operands, stream);
  if ([...reached].every((value) => value === input)) return;
  throw new UserError(
    `The block '${block}' uses keys or values of another layer; Hopscotch reads models in which each layer makes its own.`,
  );
}

/**
 * The state of a convolution block: the input that it goes on from, and the output that goes on from it.
 * @returns undefined if it carries none on
 * @throws UserError if it carries several on, or one of another shape
 */
export function findState(
  flow: DataFlow,
  output: string,
  stream: ReadonlySet<string>,
  outputs: readonly string[],
  layer: number,
): CacheEntry | undefined {
  const pastsOf = (value: string) =>
    [...flow.sources([value], stream).inputs].filter((name) => isFloatInput(flow, name));
  const carried = new Map(outputs.flatMap((name) => pastsOf(name).map((past) => [past, name] as const)));
  const pasts = pastsOf(output).filter((name) => carried.has(name));
  const [past, ...more] = pasts;
  if (past === undefined) return undefined;
  if (more.length === 0 && rank(flow, past) === 3)
    return { layout: 'state', past, present: carried.get(past)! };
  throw new UserError(
    `The convolution of layer ${layer} should carry one state on, [batch, channels, positions], but it carries ${pasts.map((name) => `'${name}'`).join(', ')}; this layout is not supported.`,
  );
}

/** The cache's inputs, keys first. */
export function pastNames(cache: CacheEntry): string[] {
  return cache.layout === 'separate' ? [cache.pastKey, cache.pastValue] : [cache.past];
}

/** The cache's outputs, keys first. */
export function presentNames(cache: CacheEntry): string[] {
  return cache.layout === 'separate' ? [cache.presentKey, cache.presentValue] : [cache.present];
}

function isFloatInput(flow: DataFlow, name: string): boolean {
  const type = declaredType(flow.graph.input(name)!);
  return type !== undefined && isFloatingPoint(type) && rank(flow, name) >= 3;
}

function rank(flow: DataFlow, name: string): number {
  return declaredDims(flow.graph.input(name)!)?.length ?? 4;
}
