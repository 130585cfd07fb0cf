/** Small decoders with random weights, in the styles of exporters, for tests. */
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import type { OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import {
  attention,
  rotatedSize,
  type AttentionSizes,
  type PastValues,
  type SharedValues,
} from './attention-layer.js';
import type { DecoderStyle } from './decoder-style.js';
import { GraphWriter } from './graph-writer.js';
import { mlp, norm, softCap } from './layers.js';
import {
  alibi,
  causalMask,
  learnedPositions,
  positionsByMask,
  rotaryTables,
  wantsPositionIds,
} from './positions.js';

export { decoderStyles, mixtral, type DecoderStyle } from './decoder-style.js';

export interface DecoderOptions {
  layers?: number;
  hidden?: number;
  heads?: number;
  /** Only for styles with grouped heads; the others have as many as heads. */
  kvHeads?: number;
  vocabulary?: number;
  /** Whether there are past inputs and present outputs. */
  cache?: boolean;
  /** Version of the standard operators, from 11. */
  opset?: number;
  seed?: number;
  /** What the graph is written with; default: a writer of the opset and the seed, which keeps the weights in memory. */
  writer?: GraphWriter;
}

/** The same options give the same model, to the bit. */
export function buildDecoder(style: DecoderStyle, options: DecoderOptions = {}): OnnxModel {
  const { layers = 3, hidden = 16, heads = 4, vocabulary = 31, cache = true, opset = 14, seed = 1 } = options;
  const kvHeads = style.groupedHeads ? (options.kvHeads ?? 2) : heads;
  const sizes = { hidden, heads, kvHeads, headSize: hidden / heads };
  return new DecoderBuilder(
    style,
    { layers, vocabulary, cache, sizes },
    options.writer ?? new GraphWriter(opset, seed),
  ).build();
}

interface Settings {
  layers: number;
  vocabulary: number;
  cache: boolean;
  sizes: AttentionSizes;
}

class DecoderBuilder {
  readonly #rows: string;
  readonly #positions: string;
  #length: string | undefined;
  #mask: string | undefined;

  constructor(
    readonly style: DecoderStyle,
    readonly settings: Settings,
    readonly writer: GraphWriter,
  ) {
    const total = settings.cache ? 'total_sequence_length' : 'sequence_length';
    writer.input('input_ids', DataType.INT64, ['batch_size', 'sequence_length']);
    writer.input('attention_mask', DataType.INT64, ['batch_size', total]);
    if (wantsPositionIds(style))
      writer.input('position_ids', DataType.INT64, ['batch_size', 'sequence_length']);
    if (settings.cache) this.#declarePasts();
    this.#rows = writer.dim('input_ids', 0);
    this.#positions = writer.dim('input_ids', 1);
  }

  build(): OnnxModel {
    const { writer, style, settings } = this;
    const { hidden } = settings.sizes;
    const shared = this.#sharedValues();
    const table = writer.weight('model.embed_tokens.weight', [settings.vocabulary, hidden], 1);
    let x = this.#embed(table);
    const presents: { name: string; dims: (string | number)[] }[] = [];
    for (let layer = 0; layer < settings.layers; layer += 1) x = this.#layer(x, layer, shared, presents);
    const last = norm(writer, style, x, 'model.norm', hidden);
    const head = style.tiedHead
      ? writer.op('Transpose', [table], { perm: [1, 0] })
      : writer.weight('lm_head.weight', [hidden, settings.vocabulary], 0.5);
    this.#makeLogits(last, head);
    writer.output('logits', DataType.FLOAT, ['batch_size', 'sequence_length', settings.vocabulary]);
    for (const { name, dims } of presents) writer.output(name, DataType.FLOAT, dims);
    return writer.model(`test-${style.name}`);
  }

  #makeLogits(last: string, head: string): void {
    const { writer, style } = this;
    const { factors, caps } = style;
    if (factors.logits === 1 && caps.logits === 0) {
      writer.op('MatMul', [last, head], {}, 'logits');
      return;
    }
    const capped = softCap(writer, writer.op('MatMul', [last, head]), caps.logits);
    writer.op('Mul', [capped, writer.float(factors.logits)], {}, 'logits');
  }

  /** What a block adds to the stream. */
  #added(result: string, name: string): string {
    const { writer, style, settings } = this;
    const normed = style.resultNorm ? norm(writer, style, result, name, settings.sizes.hidden) : result;
    if (style.factors.block === 1) return normed;
    return writer.op('Mul', [normed, writer.float(style.factors.block)]);
  }

  #embed(table: string): string {
    const { writer, style, settings } = this;
    const { hidden } = settings.sizes;
    let x = writer.op('Gather', [table, 'input_ids'], { axis: 0 });
    if (style.embeddingScale) x = writer.op('Mul', [x, writer.float(Math.sqrt(hidden))]);
    if (style.positions === 'learned') {
      x = writer.op('Add', [x, learnedPositions(writer, this.#pastLength(), this.#positions, hidden)]);
    }
    if (style.positions === 'learned-by-mask') {
      x = writer.op('Add', [x, positionsByMask(writer, 'attention_mask', this.#pastLength(), hidden)]);
    }
    return style.embeddingNorm ? norm(writer, style, x, 'word_embeddings_layernorm', hidden) : x;
  }

  #layer(
    x: string,
    layer: number,
    shared: SharedValues,
    presents: { name: string; dims: (string | number)[] }[],
  ): string {
    const { writer, style, settings } = this;
    const { hidden } = settings.sizes;
    const name = `model.layers.${layer}`;
    const read = (value: string, label: string) =>
      style.blockNorm ? norm(writer, style, value, `${name}.${label}`, hidden) : value;
    const normed = read(x, 'input_layernorm');
    const separate = settings.cache && style.cacheLayout === 'separate';
    const names = separate ? { key: `present.${layer}.key`, value: `present.${layer}.value` } : undefined;
    const block = `${name}.self_attn`;
    const result = attention(writer, style, normed, block, settings.sizes, shared, this.#past(layer), names);
    if (settings.cache) presents.push(...this.#presents(layer, result));
    const attended = result.output;
    if (style.residual === 'sequential') {
      const x1 = writer.op('Add', [x, this.#added(attended, `${name}.attention_output_norm`)]);
      const middle = read(x1, 'post_attention_layernorm');
      const fed = mlp(writer, style, middle, `${name}.mlp`, hidden);
      return writer.op('Add', [x1, this.#added(fed, `${name}.mlp_output_norm`)]);
    }
    const second = style.sharedNorm
      ? normed
      : norm(writer, style, x, `${name}.post_attention_layernorm`, hidden);
    const fed = mlp(writer, style, second, `${name}.mlp`, hidden);
    if (style.residual === 'parallel') return writer.op('Add', [writer.op('Add', [fed, attended]), x]);
    return writer.op('Add', [writer.op('Add', [attended, x]), fed]);
  }

  #sharedValues(): SharedValues {
    const { writer, style, settings } = this;
    const { headSize, heads } = settings.sizes;
    const rotary =
      style.positions === 'rotary'
        ? rotaryTables(writer, 'position_ids', this.#rows, rotatedSize(style, headSize))
        : undefined;
    const totalLength = (firstKeys: string) => {
      this.#length ??=
        style.lengthFrom === 'keys'
          ? writer.dim(firstKeys, 2)
          : writer.op('Add', [this.#pastLength(), this.#positions]);
      return this.#length;
    };
    const mask = (length: string) => {
      if (this.#mask !== undefined) return this.#mask;
      const causal = causalMask(writer, 'attention_mask', this.#rows, this.#positions, length, style.window);
      this.#mask =
        style.positions === 'alibi'
          ? writer.op('Add', [causal, alibi(writer, 'attention_mask', heads)])
          : causal;
      return this.#mask;
    };
    return { rows: this.#rows, positions: this.#positions, rotary, totalLength, mask };
  }

  /** Number of cached positions as an int64 scalar; taken from the first layer's past as exporters do. */
  #pastLength(): string {
    const { writer, style, settings } = this;
    if (!settings.cache) return writer.int(0);
    if (style.cacheLayout === 'separate') return writer.dim('past_key_values.0.key', 2);
    return writer.dim(writer.op('Gather', ['past_0', writer.int(0)], { axis: 0 }), 2);
  }

  #declarePasts(): void {
    const { writer, style, settings } = this;
    const dims = ['batch_size', settings.sizes.kvHeads, 'past_sequence_length', settings.sizes.headSize];
    for (let layer = 0; layer < settings.layers; layer += 1) {
      if (style.cacheLayout === 'packed') writer.input(`past_${layer}`, DataType.FLOAT, [2, ...dims]);
      else
        for (const part of ['key', 'value'])
          writer.input(`past_key_values.${layer}.${part}`, DataType.FLOAT, dims);
    }
  }

  #past(layer: number): PastValues | undefined {
    const { writer, style, settings } = this;
    if (!settings.cache) return undefined;
    if (style.cacheLayout === 'separate') {
      return { key: `past_key_values.${layer}.key`, value: `past_key_values.${layer}.value` };
    }
    const part = (index: number) => writer.op('Gather', [`past_${layer}`, writer.int(index)], { axis: 0 });
    return { key: part(0), value: part(1) };
  }

  #presents(
    layer: number,
    made: { key: string; value: string },
  ): { name: string; dims: (string | number)[] }[] {
    const { writer, style, settings } = this;
    const dims = ['batch_size', settings.sizes.kvHeads, 'total_sequence_length', settings.sizes.headSize];
    if (style.cacheLayout === 'separate') {
      return ['key', 'value'].map((part) => ({ name: `present.${layer}.${part}`, dims }));
    }
    const parts = [made.key, made.value].map((value) => writer.unsqueeze(value, 0));
    writer.op('Concat', parts, { axis: 0 }, `present_${layer}`);
    return [{ name: `present_${layer}`, dims: [2, ...dims] }];
  }
}
