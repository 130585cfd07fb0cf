/** Small decoders with random weights as onnxruntime-genai's model builder writes them, for tests. */
import { float } from '../../src/engine/onnx/graph/attributes.js';
import { DataType } from '../../src/engine/onnx/graph/data-types.js';
import type { OnnxModel } from '../../src/engine/onnx/file/model-file.js';
import { GenaiAttention, type GenaiSizes } from './genai-attention.js';
import { genaiMlp } from './genai-mlp.js';
import type { GenaiStyle } from './genai-style.js';
import { GraphWriter } from './graph-writer.js';
import { softCap } from './layers.js';

export { genaiStyles, type GenaiStyle } from './genai-style.js';

const EPSILON = 1e-5;
const VOCABULARY = 31;

export function buildGenaiDecoder(style: GenaiStyle, layers = 3, seed = 1): OnnxModel {
  const grouped = style.attention === 'group-query';
  const sizes: GenaiSizes = { hidden: 64, heads: 4, kvHeads: grouped ? 2 : 4, headSize: 16 };
  return new GenaiBuilder(style, sizes, new GraphWriter(21, seed)).build(layers);
}

/** A value of the stream that is not summed up yet: the builder adds in the norm that follows. */
interface Stream {
  root: string;
  skip: string | undefined;
}

class GenaiBuilder {
  readonly #attention: GenaiAttention;

  constructor(
    readonly style: GenaiStyle,
    readonly sizes: GenaiSizes,
    readonly writer: GraphWriter,
  ) {
    writer.input('input_ids', DataType.INT64, ['batch_size', 'sequence_length']);
    writer.input('attention_mask', DataType.INT64, ['batch_size', 'total_sequence_length']);
    if (style.rotary === 'outside')
      writer.input('position_ids', DataType.INT64, ['batch_size', 'sequence_length']);
    this.#attention = new GenaiAttention(style, sizes, writer);
  }

  build(layers: number): OnnxModel {
    const { writer, style, sizes } = this;
    const { hidden } = sizes;
    for (let layer = 0; layer < layers; layer += 1) this.#attention.declarePast(layer);
    const makeHead = () => writer.weight('lm_head.MatMul.weight', [hidden, VOCABULARY], 0.3);
    const tied = style.tiedHead ? makeHead() : undefined;
    const table = tied
      ? writer.op('Transpose', [tied], { perm: [1, 0] })
      : writer.weight('model.embed_tokens.weight', [VOCABULARY, hidden], 1);
    let embedded = writer.op('Gather', [table, 'input_ids']);
    if (style.resultNorm) embedded = writer.op('Mul', [embedded, writer.float(Math.sqrt(hidden))]);
    let stream: Stream = { root: embedded, skip: undefined };
    for (let layer = 0; layer < layers; layer += 1) stream = this.#layer(stream, layer);
    const last = this.#norm(stream, `model.layers.${layers}.final_norm_layernorm`, false).normed;
    const logits = writer.op(
      'MatMul',
      [last, tied ?? makeHead()],
      {},
      style.softcap > 0 ? undefined : 'logits',
    );
    if (style.softcap > 0) writer.op('Identity', [softCap(writer, logits, style.softcap)], {}, 'logits');
    writer.output('logits', DataType.FLOAT, ['batch_size', 'sequence_length', VOCABULARY]);
    for (let layer = 0; layer < layers; layer += 1) this.#attention.declarePresent(layer);
    return writer.model('onnxruntime-genai');
  }

  #layer(stream: Stream, layer: number): Stream {
    const { style } = this;
    const name = `model.layers.${layer}`;
    const first = this.#norm(stream, `${name}.input_layernorm`, true);
    const attended = this.#attention.layer(first.normed, layer);
    if (style.parallel) {
      const fed = genaiMlp(this.writer, style, first.normed, `${name}.mlp`, this.sizes.hidden);
      return { root: first.sum, skip: this.writer.op('Add', [attended, fed]) };
    }
    const second = this.#norm(
      { root: first.sum, skip: this.#resultNorm(attended, `${name}.post_attention_branch`) },
      `${name}.post_attention_layernorm`,
      true,
    );
    const fed = genaiMlp(this.writer, style, second.normed, `${name}.mlp`, this.sizes.hidden);
    return { root: second.sum, skip: this.#resultNorm(fed, `${name}.post_feedforward_branch`) };
  }

  #resultNorm(result: string, name: string): string {
    return this.style.resultNorm ? this.#norm({ root: result, skip: undefined }, name, false).normed : result;
  }

  /** @param needsSum whether the stream goes on: the last norm does not give the sum out */
  #norm({ root, skip }: Stream, name: string, needsSum: boolean): { normed: string; sum: string } {
    const { writer, style, sizes } = this;
    const gain = writer.weight(`${name}.weight`, [sizes.hidden], 0.3, 1);
    const bias = style.norm === 'layer' ? [writer.weight(`${name}.bias`, [sizes.hidden], 0.2)] : [];
    const operator = style.norm === 'rms' ? 'SimplifiedLayerNormalization' : 'LayerNormalization';
    const attributes = { epsilon: float(EPSILON) };
    if (skip === undefined) {
      const more = { ...attributes, axis: -1, stash_type: 1 };
      return { normed: writer.op(operator, [root, gain, ...bias], more), sum: root };
    }
    const [normed, sum] = ['output_0', 'output_3'].map((part) => writer.graph.freshName(`${name}/${part}`));
    const outputs = needsSum ? [normed!, '', '', sum!] : [normed!];
    writer.fused(`Skip${operator}`, [root, skip, gain, ...bias], attributes, outputs);
    return { normed: normed!, sum: sum! };
  }
}
