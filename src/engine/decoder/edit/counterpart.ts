/** Values of one block that correspond to those of another block with the same structure. */
import type { Graph } from '../../onnx/graph/graph.js';
import { declaredDims } from '../../onnx/graph/value-info.js';
import type { Block, CacheEntry } from '../decoder.js';
import { pastNames } from '../read/kv-cache.js';

/**
 * Walks both blocks back from their results, side by side, as long as the operators agree.
 * @returns for values of `from` the value of `to` that is computed in the same way
 */
export function matchBlocks(graph: Graph, from: Block, to: Block): Map<string, string> {
  const matches = new Map<string, string>();
  const pairs: [string, string][] = [[from.output, to.output]];
  from.outputs.forEach((output, index) => {
    if (to.outputs[index] !== undefined) pairs.push([output, to.outputs[index]]);
  });
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [one, other] = pair;
    const a = graph.producer(one);
    const b = graph.producer(other);
    if (!a || !b || one === other || matches.has(one) || one === from.input) continue;
    const agrees = a.opType === b.opType && a.domain === b.domain && a.input.length === b.input.length;
    if (!agrees || a.output.indexOf(one) !== b.output.indexOf(other)) continue;
    matches.set(one, other);
    a.input.forEach((input, index) => pairs.push([input, b.input[index]!]));
  }
  return matches;
}

/** The cache input of another block that has the same role and shape, or undefined. */
export function matchPast(graph: Graph, past: string, from: CacheEntry, to: CacheEntry): string | undefined {
  const index = pastNames(from).indexOf(past);
  const candidate = from.layout === to.layout ? pastNames(to)[index] : undefined;
  if (candidate === undefined) return undefined;
  const dims = (name: string) => JSON.stringify(declaredDims(graph.input(name)!));
  return dims(candidate) === dims(past) ? candidate : undefined;
}
