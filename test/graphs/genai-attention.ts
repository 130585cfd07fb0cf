/** Attention as onnxruntime-genai's model builder writes it: one operator, the rotary positions inside or before it. */
import { float, type AttributeValue } from '../../src/engine/onnx/graph/attributes.js';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import type { AttentionSizes } from './attention-layer.js';
import type { GenaiStyle } from './genai-style.js';
import type { GraphWriter } from './graph-writer.js';
import { causalMask } from './positions.js';

export type GenaiSizes = AttentionSizes;

const CACHE_ROWS = 64;

export class GenaiAttention {
  #lengths: { seqlens: string; total: string } | undefined;
  #caches: { cos: string; sin: string } | undefined;
  #mask: string | undefined;

  constructor(
    readonly style: GenaiStyle,
    readonly sizes: GenaiSizes,
    readonly writer: GraphWriter,
  ) {}

  declarePast(layer: number): void {
    for (const part of ['key', 'value'])
      this.writer.input(`past_key_values.${layer}.${part}`, DataType.FLOAT, this.#dims('past'));
  }

  declarePresent(layer: number): void {
    for (const part of ['key', 'value'])
      this.writer.output(`present.${layer}.${part}`, DataType.FLOAT, this.#dims('total'));
  }

  #dims(length: string): (string | number)[] {
    const { kvHeads, headSize } = this.sizes;
    const size = this.style.openHeadSize ? 'kv_cache_dim' : headSize;
    return ['batch_size', kvHeads, `${length}_sequence_length`, size];
  }

  layer(x: string, layer: number): string {
    const { style, sizes, writer } = this;
    const name = `model.layers.${layer}.attn`;
    const parts = this.#projections(x, name);
    const names = ['key', 'value'].map((part) => `past_key_values.${layer}.${part}`);
    const presents = ['key', 'value'].map((part) => `present.${layer}.${part}`);
    const result = writer.graph.freshName(`${name}/output_0`);
    const inputs =
      style.attention === 'group-query'
        ? [...parts, ...names, ...this.#groupQueryInputs(name)]
        : [...parts, '', '', this.#causalMask(), ...names];
    writer.fused(this.#operator(), inputs, this.#attributes(layer), [result, ...presents]);
    const width = sizes.heads * sizes.headSize;
    return this.#linear(result, `${name}.o_proj`, width, sizes.hidden);
  }

  #operator(): string {
    return this.style.attention === 'group-query' ? 'GroupQueryAttention' : 'MultiHeadAttention';
  }

  #attributes(layer: number): Record<string, AttributeValue> {
    const { style, sizes } = this;
    const scale = float(1 / Math.sqrt(sizes.headSize));
    if (style.attention === 'multi-head') return { num_heads: sizes.heads, scale };
    return {
      num_heads: sizes.heads,
      kv_num_heads: sizes.kvHeads,
      scale,
      softcap: float(style.softcap),
      do_rotary: style.rotary === 'inside' ? 1 : 0,
      rotary_interleaved: 0,
      local_window_size: style.window > 0 && layer % 2 === 0 ? style.window : -1,
    };
  }

  /** Query, key and value; the two last ones left out where all are one product. */
  #projections(x: string, name: string): string[] {
    const { style, sizes } = this;
    const { hidden, heads, kvHeads, headSize } = sizes;
    if (style.packedProjections)
      return [this.#linear(x, `${name}.qkv_proj`, hidden, (heads + 2 * kvHeads) * headSize), '', ''];
    const [query, key, value] = [
      ['q', heads],
      ['k', kvHeads],
      ['v', kvHeads],
    ].map(([part, count]) =>
      this.#linear(x, `${name}.${part}_proj`, hidden, (count as number) * headSize),
    ) as [string, string, string];
    const turned = (part: string, letter: string, count: number) =>
      this.#turn(this.#headNorm(part, `${name}.${letter}_norm`, count), count);
    return [turned(query, 'q', heads), turned(key, 'k', kvHeads), value];
  }

  #linear(x: string, name: string, from: number, to: number): string {
    const { writer, style } = this;
    const product = writer.op('MatMul', [x, writer.weight(`${name}.MatMul.weight`, [from, to])]);
    if (!style.biases) return product;
    return writer.op('Add', [product, writer.weight(`${name}.Add.bias`, [to], 0.2)]);
  }

  #headNorm(value: string, name: string, count: number): string {
    const { writer, style, sizes } = this;
    if (!style.queryKeyNorm) return value;
    const split = writer.op('Reshape', [value, writer.ints(0, -1, sizes.headSize)]);
    const gain = writer.weight(`${name}.weight`, [sizes.headSize], 0.3, 1);
    const attributes = { axis: -1, stash_type: 1, epsilon: float(1e-6) };
    const normed = writer.op('SimplifiedLayerNormalization', [split, gain], attributes);
    return writer.op('Reshape', [normed, writer.ints(0, -1, count * sizes.headSize)]);
  }

  #turn(value: string, count: number): string {
    const { writer, style, sizes } = this;
    if (style.rotary === 'inside') return value;
    const { cos, sin } = this.#rotaryCaches();
    const partial: Record<string, number> =
      style.rotated < sizes.headSize ? { num_heads: count, rotary_embedding_dim: style.rotated } : {};
    return writer.fused('RotaryEmbedding', [value, 'position_ids', cos, sin], {
      interleaved: 0,
      ...partial,
    })[0]!;
  }

  #rotaryCaches(): { cos: string; sin: string } {
    if (this.#caches) return this.#caches;
    const half = this.style.rotated / 2;
    const table = (wave: (angle: number) => number) =>
      Array.from({ length: CACHE_ROWS * half }, (_, index) =>
        wave(Math.floor(index / half) * 10000 ** (-(index % half) / half)),
      );
    this.#caches = {
      cos: this.writer.tensor('cos_cache', [CACHE_ROWS, half], table(Math.cos)),
      sin: this.writer.tensor('sin_cache', [CACHE_ROWS, half], table(Math.sin)),
    };
    return this.#caches;
  }

  /** seqlens_k, total length, caches; position ids and the bias of the scores are left out before sinks. */
  #groupQueryInputs(name: string): string[] {
    const { style, writer, sizes } = this;
    const { seqlens, total } = this.#sequenceLengths();
    const { cos, sin } = style.rotary === 'inside' ? this.#rotaryCaches() : { cos: '', sin: '' };
    const sinks = style.sinks ? ['', '', writer.weight(`${name}.sinks`, [sizes.heads], 1)] : [];
    return [seqlens, total, cos, sin, ...sinks];
  }

  #sequenceLengths(): { seqlens: string; total: string } {
    if (this.#lengths) return this.#lengths;
    const { writer } = this;
    const count = writer.op('ReduceSum', ['attention_mask', writer.ints(1)], { keepdims: 0 });
    const last = writer.op('Sub', [count, writer.ints(1)]);
    const total = writer.dim('attention_mask', 1);
    this.#lengths = {
      seqlens: writer.op('Cast', [last], { to: DataType.INT32 }),
      total: writer.op('Cast', [total], { to: DataType.INT32 }),
    };
    return this.#lengths;
  }

  #causalMask(): string {
    const { writer } = this;
    const rows = () => writer.dim('input_ids', 0);
    this.#mask ??= causalMask(
      writer,
      'attention_mask',
      rows(),
      writer.dim('input_ids', 1),
      writer.dim('attention_mask', 1),
    );
    return this.#mask;
  }
}
