/**
 * Key-value caches whose declared shape leaves heads or head size open, as onnxruntime-genai's newer builders write it
 * ([batch, 2, past, 'kv_cache_dim']): the numbers are taken from the attention operators, or from genai_config.json.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { intAttribute } from '../../onnx/graph/attributes.js';
import { isFloatingPoint } from '../../onnx/graph/data-types.js';
import type { Graph } from '../../onnx/graph/graph.js';
import type { NodeProto, ValueInfoProto } from '../../onnx/file/onnx_pb.js';
import { declaredDims, declaredType, makeValueInfo, type DeclaredDim } from '../../onnx/graph/value-info.js';
import { fusedAttention } from './fused-attention.js';
import { valueWidth } from './value-width.js';

/** A cache of keys or of values: [rows, heads, positions, size]. */
interface CacheShape {
  heads: number | undefined;
  size: number | undefined;
}

/** Whether an input looks like a cache and does not say in numbers how many heads it has and how wide they are. */
export function isOpenCache(input: ValueInfoProto): boolean {
  const type = declaredType(input);
  const dims = declaredDims(input);
  if (type === undefined || !isFloatingPoint(type) || dims?.length !== 4) return false;
  return typeof dims[1] !== 'number' || typeof dims[3] !== 'number';
}

/**
 * Declares heads and head size of caches as numbers, at the inputs and at the outputs that go with them, as far as they
 * can be found out.
 * @param folder the model's, for genai_config.json and for constants in external files
 */
export function declareCacheShapes(graph: Graph, folder: string | undefined): void {
  const config = shapeInConfig(folder);
  for (const node of graph.nodes) {
    const { past = [], present = [] } = fusedAttention(node) ?? {};
    if (past.length !== 2) continue;
    for (const place of [0, 1] as const) {
      const input = graph.input(node.input[past[place]!] ?? '');
      if (!input || !isOpenCache(input)) continue;
      const own = shapeOf(graph, node, place, folder);
      const shape = { heads: own.heads ?? config?.heads, size: own.size ?? config?.size };
      const output = graph.outputs.find(({ name }) => name === node.output[present[place]!]);
      for (const value of output ? [input, output] : [input]) declare(value, shape);
    }
  }
  for (const input of config ? graph.inputs.filter(isOpenCache) : []) declare(input, config!);
}

function declare(value: ValueInfoProto, { heads, size }: CacheShape): void {
  const dims = declaredDims(value);
  const type = declaredType(value);
  if (dims?.length !== 4 || type === undefined) return;
  const numbers = [dims[0], known(dims[1], heads), dims[2], known(dims[3], size)];
  const info = makeValueInfo(value.name, type, numbers);
  if (info.type) value.type = info.type;
}

function known(declared: DeclaredDim, found: number | undefined): DeclaredDim {
  return typeof declared === 'number' ? declared : (found ?? declared);
}

/**
 * Heads by the attributes of the operator (com.microsoft.GroupQueryAttention and MultiHeadAttention, the standard
 * Attention), their size by the width of the keys (place 0) or values (place 1) that it is given.
 */
function shapeOf(graph: Graph, node: NodeProto, place: 0 | 1, folder: string | undefined): CacheShape {
  const queryHeads = intAttribute(node, 'num_heads') ?? intAttribute(node, 'q_num_heads');
  const heads = intAttribute(node, 'kv_num_heads') ?? queryHeads;
  if (heads === undefined || queryHeads === undefined) return { heads, size: undefined };
  const { queries, keys, values } = fusedAttention(node)!;
  const own = node.input[place === 0 ? keys : values];
  // Where keys and values are no inputs of their own, all three lie side by side.
  const width = valueWidth(graph, own || node.input[queries]!, folder);
  const parts = own ? heads : queryHeads + 2 * heads;
  return { heads, size: width !== undefined && width % parts === 0 ? width / parts : undefined };
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1));
const configSchema = v.object({
  model: v.object({ decoder: v.object({ head_size: count, num_key_value_heads: count }) }),
});

/** What genai_config.json beside the model says, if it is there and can be read. */
function shapeInConfig(folder: string | undefined): CacheShape | undefined {
  const file = folder === undefined ? undefined : path.join(folder, 'genai_config.json');
  if (file === undefined || !existsSync(file)) return undefined;
  try {
    const { decoder } = v.parse(configSchema, JSON.parse(readFileSync(file, 'utf8'))).model;
    return { heads: decoder.num_key_value_heads, size: decoder.head_size };
  } catch {
    return undefined;
  }
}
