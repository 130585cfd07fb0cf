/** Feeds of a decoder's graph inputs: tokens, masks, positions and an empty KV cache. */
import type { Decoder } from '../decoder/decoder.js';
import { UserError } from '../../schema/errors.js';
import { DataType } from '../onnx/graph/data-types.js';
import { declaredDims, declaredType } from '../onnx/graph/value-info.js';
import type { Feeds } from './session.js';
import {
  boolTensor,
  float32Tensor,
  int32Tensor,
  int64Tensor,
  zerosTensor,
  type RuntimeTensor,
} from './tensors.js';

/** Token ids of equally long rows, row by row. */
export interface TokenBlock {
  rows: number;
  positions: number;
  /** rows x positions ids; Int32 or plain numbers. */
  ids: ArrayLike<number>;
  /** rows x (past + positions): 1 where a token may be attended to. Default: all ones. */
  mask?: ArrayLike<number>;
  /** rows x positions; default: past, past + 1, ... in each row. */
  positionIds?: ArrayLike<number>;
  /** How many last positions get logits, where the graph asks. Default: 0, for all. */
  keptLogits?: number;
}

/** Pads rows on the right to the longest one. */
export function padRows(rows: readonly (readonly number[])[], padId: number): TokenBlock {
  const positions = Math.max(1, ...rows.map((row) => row.length));
  const ids = new Int32Array(rows.length * positions).fill(padId);
  const mask = new Int32Array(rows.length * positions);
  rows.forEach((row, index) => {
    ids.set(row, index * positions);
    mask.fill(1, index * positions, index * positions + row.length);
  });
  return { rows: rows.length, positions, ids, mask };
}

/**
 * Feeds for tokens after `past` cached positions. The cache itself is not included: add `emptyCache` or the
 * previous run's present outputs.
 * @throws UserError if the graph wants an input that is not understood, or takes texts of one length only
 */
export function tokenFeeds(decoder: Decoder, block: TokenBlock, past = 0): Feeds {
  const { rows, positions } = block;
  refuseFixedSize(decoder, [rows, positions]);
  const { tokens, attentionMask, positions: positionsInput, keptLogits, others } = decoder.inputs;
  const feeds: Feeds = { [tokens]: integerFeed(decoder, tokens, Array.from(block.ids), [rows, positions]) };
  if (attentionMask !== undefined) {
    const total = past + positions;
    const mask = block.mask ? Array.from(block.mask) : Array.from({ length: rows * total }, () => 1);
    feeds[attentionMask] = integerFeed(decoder, attentionMask, mask, [rows, total]);
  }
  if (positionsInput !== undefined) {
    const ids = block.positionIds
      ? Array.from(block.positionIds)
      : Array.from({ length: rows * positions }, (_, index) => past + (index % positions));
    feeds[positionsInput] = integerFeed(decoder, positionsInput, ids, [rows, positions]);
  }
  if (keptLogits !== undefined) {
    const dims = declaredDims(decoder.graph.input(keptLogits)!)?.length === 1 ? [1] : [];
    feeds[keptLogits] = integerFeed(decoder, keptLogits, [block.keptLogits ?? 0], dims);
  }
  if (others.length > 0) {
    throw new UserError(
      `The model wants the input '${others[0]}', which Hopscotch does not know how to fill; export the model as a plain text-generation decoder.`,
    );
  }
  return feeds;
}

function refuseFixedSize(decoder: Decoder, wanted: readonly [number, number]): void {
  const { tokens } = decoder.inputs;
  const declared = declaredDims(decoder.graph.input(tokens)!) ?? [];
  if (declared.every((dim, axis) => typeof dim !== 'number' || dim === wanted[axis])) return;
  const shape = declared.map((dim) => dim ?? 'any').join(', ');
  throw new UserError(
    `The model was exported for one size of input ('${tokens}' is [${shape}]), and Hopscotch needs to feed it rows of other lengths; export it again with dynamic axes for batch and sequence.`,
  );
}

/** Past inputs of zero positions for the given number of rows; states of convolutions, which have no such size, as zeros. */
export function emptyCache(decoder: Decoder, rows: number): Feeds {
  return Object.fromEntries(
    decoder.inputs.cache.map((name) => {
      const dims = cacheDims(decoder, name, rows);
      return [name, zerosTensor(elementType(decoder, name), dims)];
    }),
  );
}

/**
 * The shape of an empty cache input: free dimensions are the rows first and then the positions.
 * @throws UserError if other dimensions are not declared as numbers
 */
function cacheDims(decoder: Decoder, name: string, rows: number): number[] {
  const declared = declaredDims(decoder.graph.input(name)!) ?? [];
  const isState = declared.length === 3;
  const packed = declared.length === 5;
  const batchAxis = packed ? 1 : 0;
  const positionAxis = packed ? 3 : 2;
  return declared.map((dim, axis) => {
    if (axis === batchAxis) return rows;
    if (axis === positionAxis && !isState) return 0;
    if (typeof dim !== 'number' || dim < 1) {
      throw new UserError(
        `The cache input '${name}' does not say ${isState ? 'how many channels and positions it has' : 'how many heads it has and how wide they are'}; Hopscotch needs both as numbers.`,
      );
    }
    return dim;
  });
}

function elementType(decoder: Decoder, input: string): RuntimeTensor['type'] {
  return declaredType(decoder.graph.input(input)!) === DataType.FLOAT16 ? 'float16' : 'float32';
}

function integerFeed(decoder: Decoder, input: string, values: number[], dims: number[]): RuntimeTensor {
  switch (declaredType(decoder.graph.input(input)!)) {
    case DataType.BOOL:
      return boolTensor(values.map(Boolean), dims);
    case DataType.FLOAT:
      return float32Tensor(values, dims);
    case DataType.INT32:
      return int32Tensor(values, dims);
    default:
      return int64Tensor(values, dims);
  }
}
