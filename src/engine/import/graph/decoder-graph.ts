/** A decoder as onnxruntime-genai's builder writes it, with numeric shapes of the KV caches. */
import { create } from '@bufbuild/protobuf';
import type { OnnxModel } from '../../onnx/file/model-file.js';
import { ModelProtoSchema, OperatorSetIdProtoSchema } from '../../onnx/file/onnx_pb.js';
import { float } from '../../onnx/graph/attributes.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import type { DecoderFacts } from '../families/decoder-facts.js';
import type { LayerPart } from '../families/names.js';
import type { ModelWeights, Norm } from '../weights/model-weights.js';
import type { PlannedDataFile } from '../weights/planned.js';
import { AttentionWriter } from './attention.js';
import { ConvolutionWriter } from './convolution.js';
import { GraphConstants } from './constants.js';

/** Operator set 22 came with IR version 10; the builder writes both. */
const OPSET = 22;
const IR_VERSION = 10;

/** The stream's value, of which the last sum may be left to the norm that follows. */
interface Stream {
  root: string;
  skip?: string;
}

/** @param dataFile takes the weights; the model's constants point into it */
export function decoderGraph(
  facts: DecoderFacts,
  weights: ModelWeights,
  dataFile: PlannedDataFile,
): OnnxModel {
  const writer = new DecoderWriter(facts, weights, new GraphConstants(dataFile));
  writer.write();
  const opsets = [
    { domain: '', version: BigInt(OPSET) },
    { domain: 'com.microsoft', version: 1n },
  ];
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(IR_VERSION),
    producerName: 'hopscotch',
    opsetImport: opsets.map((opset) => create(OperatorSetIdProtoSchema, opset)),
    graph: writer.constants.graph.proto,
  });
  return { proto, graph: proto.graph!, folder: undefined };
}

class DecoderWriter {
  readonly #attention: AttentionWriter;
  readonly #convolution: ConvolutionWriter;

  constructor(
    readonly facts: DecoderFacts,
    readonly weights: ModelWeights,
    readonly constants: GraphConstants,
  ) {
    this.#attention = new AttentionWriter(facts, weights, constants);
    this.#convolution = new ConvolutionWriter(facts, weights, constants);
  }

  write(): void {
    const { facts, weights, constants } = this;
    const { op } = constants;
    this.#declareInputs();
    const head = weights.head();
    op.enter('embed_tokens');
    const embedded = constants.embedding('input_ids', weights.embedding(), head === undefined);
    let stream: Stream = { root: op.scale(embedded.rows, facts.embeddingScale) };
    if (facts.family.hasLearnedPositions) {
      const table = constants.table('model.embed_positions.weight', weights.positions());
      stream.skip = op.gather(table, 'position_ids', 0);
    }
    for (let layer = 0; layer < facts.layers; layer += 1) {
      op.enter(`layers.${layer}`);
      stream = this.#layer(stream, layer);
    }
    op.enter('lm_head');
    const last = this.#norm(
      stream,
      `model.layers.${facts.layers}.final_norm_layernorm`,
      weights.wholeNorm('finalNorm'),
    );
    const product = head ? constants.linear(last.normed, 'lm_head', head) : embedded.head!(last.normed);
    op.name(this.#capped(op.scale(product, facts.logitScale)), 'logits');
    this.#declareOutputs();
  }

  #layer(stream: Stream, layer: number): Stream {
    const { norms } = this.facts.family;
    const name = `model.layers.${layer}`;
    const mlp = (x: string) => this.#mlp(x, layer);
    const attention = (x: string) =>
      this.facts.convolution?.layers.has(layer)
        ? this.#convolution.write(x, layer)
        : this.#attention.write(x, layer);
    if (norms === 'after') {
      const middle = this.#blockBetween(stream, name, 'attentionResultNorm', layer, attention);
      return this.#blockBetween(middle, name, 'mlpResultNorm', layer, mlp);
    }
    const middle = this.#block(stream, `${name}.input_layernorm`, 'attentionNorm', layer, attention);
    return this.#block(middle, `${name}.post_attention_layernorm`, 'mlpNorm', layer, mlp);
  }

  /** A block with a norm before it, and in some families one after it. */
  #block(
    stream: Stream,
    name: string,
    part: 'attentionNorm' | 'mlpNorm',
    layer: number,
    compute: (x: string) => string,
  ): Stream {
    const { facts, constants } = this;
    const { normed, sum } = this.#norm(stream, name, this.#gain(part, layer));
    let result = compute(normed);
    if (facts.family.norms === 'both') {
      const after: LayerPart = part === 'attentionNorm' ? 'attentionResultNorm' : 'mlpResultNorm';
      result = this.#norm({ root: result }, `${name}.result`, this.#gain(after, layer)).normed;
    }
    return { root: sum, skip: constants.op.scale(result, facts.residualScale) };
  }

  /** A block that reads the stream itself, with a norm after it. */
  #blockBetween(
    { root, skip }: Stream,
    name: string,
    part: 'attentionResultNorm' | 'mlpResultNorm',
    layer: number,
    compute: (x: string) => string,
  ): Stream {
    const sum = skip === undefined ? root : this.constants.op.add(root, skip);
    const result = compute(sum);
    return {
      root: sum,
      skip: this.#norm({ root: result }, `${name}.${part}`, this.#gain(part, layer)).normed,
    };
  }

  #gain(part: LayerPart, layer: number): Norm {
    return this.weights.layerNorm(part, layer, this.facts.hidden);
  }

  /** The norm of the stream, and the stream with its last sum done. */
  #norm({ root, skip }: Stream, name: string, { gain, bias }: Norm): { normed: string; sum: string } {
    const { constants, facts } = this;
    const { op } = constants;
    const operator = facts.family.norm === 'rms' ? 'SimplifiedLayerNormalization' : 'LayerNormalization';
    const parts = [constants.vector(`${name}.weight`, gain)];
    if (bias) parts.push(constants.vector(`${name}.bias`, bias));
    const epsilon = { epsilon: float(facts.epsilon) };
    if (skip === undefined) {
      const normed = op.emit(operator, [root, ...parts], { ...epsilon, axis: -1, stash_type: 1 });
      return { normed, sum: root };
    }
    const names = ['normed', 'sum'].map((value) => constants.graph.freshName(`${name}/${value}`));
    const outputs = [names[0]!, '', '', names[1]!];
    op.emitSeveral(outputs, `Skip${operator}`, [root, skip, ...parts], epsilon, 'com.microsoft');
    return { normed: names[0]!, sum: names[1]! };
  }

  #mlp(x: string, layer: number): string {
    const { constants, weights, facts } = this;
    const { op } = constants;
    const name = `model.layers.${layer}.mlp`;
    const { gate, up, down } = weights.mlp(layer);
    const activate = (value: string) =>
      facts.family.activation === 'silu'
        ? op.mul(value, op.sigmoid(value))
        : op.emit('Gelu', [value], { approximate: 'tanh' });
    const widened = gate
      ? op.mul(
          activate(constants.linear(x, `${name}.gate_proj`, gate)),
          constants.linear(x, `${name}.up_proj`, up),
        )
      : activate(constants.linear(x, `${name}.up_proj`, up));
    return constants.linear(widened, `${name}.down_proj`, down);
  }

  #capped(logits: string): string {
    const { op } = this.constants;
    const cap = this.facts.logitCap;
    return cap > 0 ? op.mul(op.tanh(op.div(logits, cap)), cap) : logits;
  }

  #declareInputs(): void {
    const { graph } = this.constants;
    graph.addInput(makeValueInfo('input_ids', DataType.INT64, ['batch_size', 'sequence_length']));
    graph.addInput(makeValueInfo('attention_mask', DataType.INT64, ['batch_size', 'total_sequence_length']));
    if (this.facts.family.hasLearnedPositions)
      graph.addInput(makeValueInfo('position_ids', DataType.INT64, ['batch_size', 'sequence_length']));
    for (const { name, dims } of this.#caches('past', 'past_sequence_length'))
      graph.addInput(makeValueInfo(name, DataType.FLOAT, dims));
  }

  #declareOutputs(): void {
    const { graph } = this.constants;
    const logits = ['batch_size', 'sequence_length', this.facts.vocabulary];
    graph.proto.output.push(makeValueInfo('logits', DataType.FLOAT, logits));
    for (const { name, dims } of this.#caches('present', 'total_sequence_length'))
      graph.proto.output.push(makeValueInfo(name, DataType.FLOAT, dims));
  }

  #caches(prefix: 'past' | 'present', length: string): { name: string; dims: (string | number)[] }[] {
    const { layers, kvHeads, headSize, hidden, convolution } = this.facts;
    const keys = prefix === 'past' ? 'past_key_values' : prefix;
    const dims = ['batch_size', kvHeads, length, headSize];
    return Array.from({ length: layers }, (_, layer) =>
      convolution?.layers.has(layer)
        ? [{ name: `${prefix}_conv.${layer}`, dims: ['batch_size', hidden, convolution.taps - 1] }]
        : ['key', 'value'].map((part) => ({ name: `${keys}.${layer}.${part}`, dims })),
    ).flat();
  }
}
