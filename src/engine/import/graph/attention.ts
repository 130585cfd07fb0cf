/** Attention as onnxruntime-genai's builder writes it: GroupQueryAttention that turns queries and keys itself. */
import { float } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import type { DecoderFacts } from '../families/decoder-facts.js';
import { inHalfBlocks } from '../weights/matrix.js';
import { joinedLinear, type Linear, type ModelWeights, type Norm } from '../weights/model-weights.js';
import type { GraphConstants } from './constants.js';
import { RotaryTables } from './rotary-tables.js';

export class AttentionWriter {
  #lengths: { last: string; total: string; tokens: string } | undefined;
  readonly #tables: RotaryTables;

  constructor(
    readonly facts: DecoderFacts,
    readonly weights: ModelWeights,
    readonly constants: GraphConstants,
  ) {
    this.#tables = new RotaryTables(facts, constants);
  }

  /** @param x [rows, positions, hidden]; the result likewise */
  write(x: string, layer: number): string {
    const { facts, weights, constants } = this;
    const { op } = constants;
    const name = `model.layers.${layer}.attn`;
    const parts = this.#queriesKeysValues(x, name, layer);
    const past = ['key', 'value'].map((part) => `past_key_values.${layer}.${part}`);
    const present = ['key', 'value'].map((part) => `present.${layer}.${part}`);
    const { last, total, tokens } = this.#sequenceLengths();
    const { frequencies, window } = facts.attention[layer]!;
    const tables = frequencies && this.#tables.of(frequencies, tokens);
    const [mixed] = op.emitSeveral(
      [constants.graph.freshName(`${name}/GroupQueryAttention`), ...present],
      'GroupQueryAttention',
      [...parts, ...past, last, total, tables?.cos, tables?.sin],
      {
        num_heads: facts.heads,
        kv_num_heads: facts.kvHeads,
        scale: float(facts.scoreScale),
        softcap: float(facts.scoreCap),
        local_window_size: window > 0 ? window : -1,
        do_rotary: tables ? 1 : 0,
        rotary_interleaved: 0,
      },
      'com.microsoft',
    );
    return constants.linear(mixed!, `${name}.o_proj`, weights.attentionOutput(layer));
  }

  /** One product where all weights are of one type and nothing comes between. */
  #queriesKeysValues(x: string, name: string, layer: number): (string | undefined)[] {
    const { constants, facts } = this;
    const { query, key, value } = this.weights.attention(layer);
    const packed = facts.family.queryKeyNorm ? undefined : joinedLinear([query, key, value]);
    const product = (part: string, { matrix, bias }: Linear) =>
      constants.linear(x, `${name}.${part}_proj`, { matrix: inHalfBlocks(matrix), bias });
    if (packed) return [product('qkv', packed), undefined, undefined];
    return [
      this.#normed(product('q', query), `${name}.q_norm`, 'queryNorm', layer, facts.heads),
      this.#normed(product('k', key), `${name}.k_norm`, 'keyNorm', layer, facts.kvHeads),
      product('v', value),
    ];
  }

  #normed(value: string, name: string, part: 'queryNorm' | 'keyNorm', layer: number, heads: number): string {
    const { facts, constants, weights } = this;
    const { queryKeyNorm } = facts.family;
    if (!queryKeyNorm) return value;
    const width = heads * facts.headSize;
    if (queryKeyNorm === 'all') return this.#rms(value, name, weights.layerNorm(part, layer, width));
    const { op } = constants;
    const split = op.reshape(value, [0, -1, facts.headSize]);
    const normed = this.#rms(split, name, weights.layerNorm(part, layer, facts.headSize));
    return op.reshape(normed, [0, -1, width]);
  }

  #rms(value: string, name: string, { gain }: Norm): string {
    const attributes = { epsilon: float(this.facts.epsilon), axis: -1, stash_type: 1 };
    const weight = this.constants.vector(`${name}.layernorm.weight`, gain);
    return this.constants.op.emit('SimplifiedLayerNormalization', [value, weight], attributes);
  }

  /** Position of each row's last token, and the length of the longest one, as GroupQueryAttention takes them and in int64. */
  #sequenceLengths(): { last: string; total: string; tokens: string } {
    const { op } = this.constants;
    if (!this.#lengths) {
      const count = op.reduceSum('attention_mask', [1], false);
      const last = op.cast(op.emit('Sub', [count, op.integers([1])]), DataType.INT32);
      const tokens = op.gather(op.shape('attention_mask'), op.integer(1), 0);
      this.#lengths = { last, total: op.cast(tokens, DataType.INT32), tokens };
    }
    return this.#lengths;
  }
}
