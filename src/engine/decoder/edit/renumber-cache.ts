/** Numbering a decoder's cache inputs and outputs densely after blocks were deleted (docs/decisions/004-dense-kv-cache.md). */
import type { Graph } from '../../onnx/graph/graph.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { blocksOf, type CacheEntry, type Decoder } from '../decoder.js';
import { pastNames, presentNames } from '../read/kv-cache.js';
import { rereadDecoder } from '../read/read-decoder.js';

/**
 * A copy of the decoder whose cache names count 0, 1, 2... in the order of the layers: 'past_key_values.7.key' becomes
 * 'past_key_values.6.key' where one block before it is gone. Keys, values and states of convolutions are counted
 * together, as one list of layers says of each which it has. Names without a number of their own stay.
 * @returns with `oldIndices[n]` the number that the cache entry n had in its names before
 */
export function renumberCache(original: Decoder): { decoder: Decoder; oldIndices: number[] } {
  const model = copyModel(original.model);
  const copy = rereadDecoder(model, original);
  const { graph } = copy;
  const caches = blocksOf(copy)
    .flatMap(({ cache, layer }) => (cache ? [{ cache, layer }] : []))
    .map((numbered, index) => ({ ...numbered, index }));
  const oldIndices = caches.map(({ layer }) => layer);
  const isState = ({ cache }: NumberedCache) => cache.layout === 'state';
  for (const group of [caches.filter((entry) => !isState(entry)), caches.filter(isState)]) {
    const layers = group.map(({ layer }) => layer);
    for (const names of [...byRole(group, pastNames), ...byRole(group, presentNames)]) {
      const numbered = numberedNames(names, layers);
      if (!numbered) continue;
      const after = numbered.map(({ before, behind }, at) => `${before}${group[at]!.index}${behind}`);
      if (!areFree(graph, after, names)) continue;
      group.forEach(({ index }, at) => (oldIndices[index] = numbered[at]!.number));
      renameAll(graph, names, after);
    }
  }
  return { decoder: rereadDecoder(model, original), oldIndices };
}

interface NumberedCache {
  cache: CacheEntry;
  layer: number;
  /** The number that it gets. */
  index: number;
}

/** The names of each role (keys, values), in the order of the layers. */
function byRole(caches: readonly NumberedCache[], namesOf: (cache: CacheEntry) => string[]): string[][] {
  const names = caches.map(({ cache }) => namesOf(cache));
  return (names[0] ?? []).map((_, role) => names.map((entry) => entry[role]!));
}

interface NumberedName {
  before: string;
  number: number;
  behind: string;
}

/**
 * Splits names at the number in which they differ. A single name is split at the number that is its layer, or at its
 * only number.
 */
function numberedNames(names: readonly string[], layers: readonly number[]): NumberedName[] | undefined {
  const places = splits(names[0] ?? '');
  const fitting = places.filter(({ before, behind }) =>
    names.every(
      (name) => name.startsWith(before) && name.endsWith(behind) && isNumberBetween(name, before, behind),
    ),
  );
  const place =
    names.length > 1 || fitting.length === 1
      ? fitting[0]
      : fitting.findLast(({ number }) => number === layers[0]);
  return (
    place && names.map((name) => ({ ...place, number: Number(middle(name, place.before, place.behind)) }))
  );
}

function splits(name: string): NumberedName[] {
  return [...name.matchAll(/\d+/g)].map((match) => ({
    before: name.slice(0, match.index),
    number: Number(match[0]),
    behind: name.slice(match.index + match[0].length),
  }));
}

function isNumberBetween(name: string, before: string, behind: string): boolean {
  return /^\d+$/.test(middle(name, before, behind));
}

function middle(name: string, before: string, behind: string): string {
  return name.slice(before.length, name.length - behind.length);
}

function areFree(graph: Graph, names: readonly string[], renamed: readonly string[]): boolean {
  const leaving = new Set(renamed);
  return names.every((name) => leaving.has(name) || !isValue(graph, name));
}

function isValue(graph: Graph, name: string): boolean {
  return [graph.input(name), graph.producer(name), graph.initializer(name)].some(
    (found) => found !== undefined,
  );
}

/** In two rounds, since a new name may be another entry's old one. */
function renameAll(graph: Graph, names: readonly string[], after: readonly string[]): void {
  const between = names.map((name) => graph.freshName(`${name}/renamed`));
  names.forEach((name, index) => rename(graph, name, between[index]!));
  between.forEach((name, index) => rename(graph, name, after[index]!));
}

function rename(graph: Graph, name: string, to: string): void {
  if (graph.input(name)) {
    graph.renameInput(name, to);
    return;
  }
  const node = graph.producer(name)!;
  graph.renameOutput(node, node.output.indexOf(name), to);
  const info = graph.outputs.find((output) => output.name === name);
  if (info) info.name = to;
}
