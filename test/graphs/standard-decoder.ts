/**
 * A small decoder out of the standard operators of opset 23 and 24 (RMSNormalization, RotaryEmbedding, Attention, Swish),
 * as torch.onnx writes them, for tests.
 */
import { float } from '../../src/engine/onnx/graph/attributes.js';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import type { OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { silu } from './activations.js';
import { GraphWriter } from './graph-writer.js';
import { causalMask } from './positions.js';

export interface StandardOptions {
  opset: 23 | 24;
  /** Whether Attention takes and gives the cache itself, or a Concat before it does. */
  cacheInAttention: boolean;
  /** Whether positions are counted in the graph, for one row, and cosines made of them there. */
  countsPositions?: boolean;
}

const [VOCABULARY, HIDDEN, HEADS, KV_HEADS, HEAD_SIZE] = [31, 32, 4, 2, 8];
const CACHE_ROWS = 64;

export function buildStandardDecoder(options: StandardOptions, layers = 3): OnnxModel {
  const writer = new GraphWriter(options.opset, 1);
  writer.input('input_ids', DataType.INT64, ['batch_size', 'sequence_length']);
  writer.input('attention_mask', DataType.INT64, ['batch_size', 'total_sequence_length']);
  const counts = options.countsPositions === true;
  if (!counts) writer.input('position_ids', DataType.INT64, ['batch_size', 'sequence_length']);
  const parts = ['key', 'value'];
  const dims = (length: string) => ['batch_size', KV_HEADS, `${length}_sequence_length`, HEAD_SIZE];
  for (let layer = 0; layer < layers; layer += 1)
    for (const part of parts) writer.input(`past_key_values.${layer}.${part}`, DataType.FLOAT, dims('past'));
  const shared = { mask: mask(writer), ...(counts ? countedRotary(writer) : rotaryCaches(writer)) };
  const table = writer.weight('model.embed_tokens.weight', [VOCABULARY, HIDDEN], 1);
  let x = writer.op('Gather', [table, 'input_ids']);
  for (let layer = 0; layer < layers; layer += 1) {
    const name = `model.layers.${layer}`;
    const attended = attention(writer, options, norm(writer, x, `${name}.input_layernorm`), layer, shared);
    x = writer.op('Add', [x, attended]);
    const fed = mlp(writer, norm(writer, x, `${name}.post_attention_layernorm`), `${name}.mlp`);
    x = writer.op('Add', [x, fed]);
  }
  const head = writer.weight('lm_head.weight', [HIDDEN, VOCABULARY], 0.5);
  writer.op('MatMul', [norm(writer, x, 'model.norm'), head], {}, 'logits');
  writer.output('logits', DataType.FLOAT, ['batch_size', 'sequence_length', VOCABULARY]);
  for (let layer = 0; layer < layers; layer += 1)
    for (const part of parts) writer.output(`present.${layer}.${part}`, DataType.FLOAT, dims('total'));
  return writer.model('pytorch');
}

interface Rotary {
  cos: string;
  sin: string;
  positions: string;
}

interface Shared extends Rotary {
  /** bool [rows, 1, positions, keys]. */
  mask: string;
}

function mask(writer: GraphWriter): string {
  const dim = (name: string, axis: number) => writer.dim(name, axis);
  const summand = causalMask(
    writer,
    'attention_mask',
    dim('input_ids', 0),
    dim('input_ids', 1),
    dim('attention_mask', 1),
  );
  return writer.op('Equal', [summand, writer.float(0)]);
}

/** Cosines and sines [1, positions, half] of the positions behind the cache. */
function countedRotary(writer: GraphWriter): Rotary {
  const half = HEAD_SIZE / 2;
  const total = writer.op('Squeeze', [writer.dim('attention_mask', 1)]);
  const first = writer.op('Sub', [total, writer.op('Squeeze', [writer.dim('input_ids', 1)])]);
  const positions = writer.op('Cast', [writer.op('Range', [first, total, writer.int(1)])], {
    to: DataType.FLOAT,
  });
  const row = writer.op('Reshape', [positions, writer.ints(1, 1, -1)]);
  const frequencies = writer.tensor(
    'inv_freq_expanded',
    [1, half, 1],
    Array.from({ length: half }, (_, index) => 10000 ** (-index / half)),
  );
  const angles = writer.op('Transpose', [writer.op('MatMul', [frequencies, row])], { perm: [0, 2, 1] });
  return { cos: writer.op('Cos', [angles]), sin: writer.op('Sin', [angles]), positions: '' };
}

function rotaryCaches(writer: GraphWriter): Rotary {
  const half = HEAD_SIZE / 2;
  const table = (name: string, wave: (angle: number) => number) =>
    writer.tensor(
      name,
      [CACHE_ROWS, half],
      Array.from({ length: CACHE_ROWS * half }, (_, index) =>
        wave(Math.floor(index / half) * 10000 ** (-(index % half) / half)),
      ),
    );
  return { cos: table('cos_cache', Math.cos), sin: table('sin_cache', Math.sin), positions: 'position_ids' };
}

function norm(writer: GraphWriter, x: string, name: string): string {
  const gain = writer.weight(`${name}.weight`, [HIDDEN], 0.3, 1);
  return writer.op('RMSNormalization', [x, gain], { axis: -1, epsilon: float(1e-5) });
}

function attention(
  writer: GraphWriter,
  options: StandardOptions,
  x: string,
  layer: number,
  { mask: seen, cos, sin, positions }: Shared,
): string {
  const name = `model.layers.${layer}.self_attn`;
  const project = (part: string, heads: number) => {
    const product = writer.op('MatMul', [
      x,
      writer.weight(`${name}.${part}_proj.weight`, [HIDDEN, heads * HEAD_SIZE]),
    ]);
    const split = writer.op('Reshape', [product, writer.ints(0, 0, heads, HEAD_SIZE)]);
    return writer.op('Transpose', [split], { perm: [0, 2, 1, 3] });
  };
  const turn = (value: string) => writer.op('RotaryEmbedding', [value, cos, sin, positions]);
  const query = turn(project('q', HEADS));
  const key = turn(project('k', KV_HEADS));
  const value = project('v', KV_HEADS);
  const pasts = ['key', 'value'].map((part) => `past_key_values.${layer}.${part}`) as [string, string];
  const presents = ['key', 'value'].map((part) => `present.${layer}.${part}`) as [string, string];
  const scale = { scale: float(1 / Math.sqrt(HEAD_SIZE)) };
  const mixed = writer.graph.freshName(`${name}/Attention`);
  if (options.cacheInAttention) {
    const inputs = [query, key, value, seen, ...pasts];
    writer.graph.addNode('Attention', inputs, scale, { outputs: [mixed, ...presents] });
  } else {
    const joined = [key, value].map((part, index) =>
      writer.op('Concat', [pasts[index]!, part], { axis: -2 }, presents[index]!),
    );
    writer.op('Attention', [query, ...joined, seen], scale, mixed);
  }
  const turned = writer.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  const merged = writer.op('Reshape', [turned, writer.ints(0, 0, HEADS * HEAD_SIZE)]);
  return writer.op('MatMul', [merged, writer.weight(`${name}.o_proj.weight`, [HEADS * HEAD_SIZE, HIDDEN])]);
}

function mlp(writer: GraphWriter, x: string, name: string): string {
  const inner = 2 * HIDDEN;
  const product = (value: string, part: string, from: number, to: number) =>
    writer.op('MatMul', [value, writer.weight(`${name}.${part}.weight`, [from, to])]);
  const gate = product(x, 'gate_proj', HIDDEN, inner);
  const activated = writer.opset >= 24 ? writer.op('Swish', [gate]) : silu(writer, gate);
  const gated = writer.op('Mul', [activated, product(x, 'up_proj', HIDDEN, inner)]);
  return product(gated, 'down_proj', inner, HIDDEN);
}
