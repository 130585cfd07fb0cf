/** What the graph's inputs mean: tokens, attention mask, positions, cache. */
import { DataType } from '../../onnx/graph/data-types.js';
import { declaredDims, declaredType, type DeclaredDim } from '../../onnx/graph/value-info.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { walk } from '../../onnx/graph/walk.js';
import type { DataFlow } from './data-flow.js';
import type { DecoderInputs } from '../decoder.js';
import { fusedAttention } from './fused-attention.js';

/** Operators that make sines and cosines of positions. */
const WAVES = new Set(['Cos', 'Sin']);

/** RotaryEmbedding: the input with position ids, of com.microsoft's operator and of the standard one. */
function rotaryPositions(node: NodeProto): string | undefined {
  if (node.opType !== 'RotaryEmbedding') return undefined;
  return node.input[node.domain === 'com.microsoft' ? 1 : 3];
}

/** Whether an operator of rotary positions reads a value as these. */
function turnsBy(node: NodeProto, value: string): boolean {
  const operator = fusedAttention(node);
  const isTold = operator?.positions !== undefined && node.input[operator.positions] === value;
  return isTold || rotaryPositions(node) === value;
}

/** Whether a node makes waves of a value, or takes rows of a table by it. */
function takesPlaces(node: NodeProto, value: string): boolean {
  return WAVES.has(node.opType) || (node.opType === 'Gather' && node.input[1] === value);
}

/** Nodes by what they are part of. */
export interface NodeRegions {
  /** Attention blocks that depend on the residual stream. */
  attention: ReadonlySet<NodeProto>;
  /** Behind the residual stream. */
  head: ReadonlySet<NodeProto>;
}

/**
 * @param tokens the input with the token ids
 * @param cache past inputs
 */
export function classifyInputs(
  flow: DataFlow,
  tokens: string,
  cache: readonly string[],
  { attention, head }: NodeRegions,
): DecoderInputs {
  const known = new Set([tokens, ...cache]);
  const rest = flow.graph.inputs.map((input) => input.name).filter((name) => !known.has(name));
  let attentionMask: string | undefined;
  let positions: string | undefined;
  let keptLogits: string | undefined;
  const others: string[] = [];
  for (const name of rest) {
    const dims = declaredDims(flow.graph.input(name)!);
    const role =
      dims !== undefined && dims.length !== 2
        ? roleOfNumber(flow, name, dims, head)
        : roleOf(flow, name, tokens, dims, attention);
    if (role === 'mask' && attentionMask === undefined) attentionMask = name;
    else if (role === 'positions' && positions === undefined) positions = name;
    else if (role === 'kept logits' && keptLogits === undefined) keptLogits = name;
    else others.push(name);
  }
  return {
    tokens,
    attentionMask,
    positions,
    cache,
    ...(keptLogits === undefined ? {} : { keptLogits }),
    others,
  };
}

/** An integer that only the head reads: of how many positions it gives logits. */
function roleOfNumber(
  flow: DataFlow,
  name: string,
  dims: readonly DeclaredDim[],
  head: ReadonlySet<NodeProto>,
): 'kept logits' | 'other' {
  const type = declaredType(flow.graph.input(name)!);
  const isNumber = dims.length === 0 || (dims.length === 1 && dims[0] === 1);
  if (!isNumber || (type !== DataType.INT64 && type !== DataType.INT32)) return 'other';
  const readers = [...flow.dependents([name])];
  const slices = readers.filter((node) => head.has(node) && node.opType === 'Slice');
  const isElsewhere = readers.some(
    (node) => !head.has(node) && node.output.some((output) => flow.graph.isOutput(output)),
  );
  return slices.length > 0 && !isElsewhere ? 'kept logits' : 'other';
}

/** Masks may give positions too (by their running sum), but only they reach the attention scores. */
function roleOf(
  flow: DataFlow,
  name: string,
  tokens: string,
  dims: readonly DeclaredDim[] | undefined,
  attention: ReadonlySet<NodeProto>,
): 'mask' | 'positions' | 'other' {
  if (flow.readers(name).length === 0) {
    const width = declaredDims(flow.graph.input(tokens)!)?.[1];
    return dims !== undefined && dims[1] === width ? 'positions' : 'mask';
  }
  let isPosition = false;
  const ends = (node: NodeProto, value: string) =>
    turnsBy(node, value) || attention.has(node) || takesPlaces(node, value);
  const values = walk([name], (value) =>
    flow.readers(value).flatMap((node) => (ends(node, value) ? [] : node.output)),
  );
  for (const value of values) {
    for (const node of flow.readers(value)) {
      if (turnsBy(node, value)) isPosition = true;
      else if (attention.has(node)) return 'mask';
      else if (takesPlaces(node, value)) isPosition = true;
    }
  }
  return isPosition ? 'positions' : 'other';
}
