/** Gates: graph inputs that scale each block, its norm, and the residual stream beside it (docs/method.md, Blocks and scales). */
import type { BlockName } from '../../../schema/blocks.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { Operators } from '../../onnx/graph/operators.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { blockName, type Decoder, type Norm, type Use } from '../decoder.js';
import { elementType } from '../element-type.js';
import { rereadDecoder } from '../read/read-decoder.js';

export type GateKind = 'block' | 'residual' | 'gain';

/** A float32 graph input that scales the residual stream, a block or what a norm gives. */
export interface Gate {
  /** The graph input: 'hopscotch.block.attention.3'. */
  name: string;
  kind: GateKind;
  /**
   * The block that is scaled; for residual gates the first block of the step, for gains the first block
   * that the norm belongs to, or 'final'.
   */
  block: BlockName | 'final';
  /** Index in the decoder's steps; their number for the final norm. */
  step: number;
  /** [1, 1, 1 or hidden size]; [hidden size] for gains. */
  shape: readonly number[];
}

export interface GateOptions {
  /** One number a block, or one for each channel of the hidden size. Default: 'scalar'; residual gates always are. */
  granularity?: 'scalar' | 'channel';
  /** Whether what each norm gives is scaled, one number a channel; norms without a gain are left out. Default: false. */
  gains?: boolean;
}

/**
 * A copy of the decoder in which each step computes b * block(g * norm(input)) + s * input (for two blocks: both
 * scaled). With scales of one it computes what the original does. The gates are not in `decoder.inputs`.
 */
export function insertGates(
  original: Decoder,
  options: GateOptions = {},
): { decoder: Decoder; gates: Gate[] } {
  const model = copyModel(original.model);
  const decoder = rereadDecoder(model, original);
  const builder = new GateBuilder(decoder);
  const width = options.granularity === 'channel' ? decoder.hiddenSize : 1;
  if (options.gains) builder.gains();
  decoder.steps.forEach((step, index) => {
    for (const block of step.blocks) builder.scale(block.outputUse, 'block', blockName(block), index, width);
    builder.scale(step.inputUse, 'residual', blockName(step.blocks[0]!), index, 1);
  });
  decoder.graph.sortNodes();
  return { decoder: rereadDecoder(model, original), gates: builder.gates };
}

class GateBuilder {
  readonly gates: Gate[] = [];

  readonly #op: Operators;

  constructor(readonly decoder: Decoder) {
    this.#op = new Operators(decoder.graph, 'hopscotch.gates');
  }

  /** Multiplies what is read at a place with a new gate. */
  scale(use: Use, kind: GateKind, block: BlockName, step: number, width: number): void {
    const value = use.node.input[use.index]!;
    const gate = this.#addInput(kind, block, step, [1, 1, width]);
    this.decoder.graph.setInput(use.node, use.index, this.#op.mul(value, this.#castLike(gate, value)));
  }

  /** Multiplies what each norm gives with a new gate; a norm that two blocks read is scaled once. */
  gains(): void {
    const { steps, finalNorm } = this.decoder;
    const scaled = new Set<string>();
    const scaleNorm = (norm: Norm | undefined, block: Gate['block'], step: number) => {
      if (!norm?.gain || scaled.has(norm.output)) return;
      scaled.add(norm.output);
      const { graph } = this.decoder;
      const readers = new Set(graph.consumers(norm.output));
      const gate = this.#addInput('gain', block, step, [this.decoder.hiddenSize]);
      const product = this.#op.mul(norm.output, this.#castLike(gate, norm.output));
      graph.replaceUses(norm.output, product, (node) => !readers.has(node));
    };
    steps.forEach((step, index) => {
      for (const block of step.blocks) scaleNorm(block.norm, blockName(block), index);
    });
    scaleNorm(finalNorm, 'final', steps.length);
  }

  #addInput(kind: GateKind, block: Gate['block'], step: number, shape: Gate['shape']): string {
    const { graph } = this.decoder;
    const name = graph.freshName(`hopscotch.${kind}.${block.replace(' ', '.')}`);
    graph.addInput(makeValueInfo(name, DataType.FLOAT, shape));
    this.gates.push({ name, kind, block, step, shape });
    this.#op.enter(name);
    return name;
  }

  #castLike(gate: string, value: string): string {
    const type = elementType(this.decoder.graph, value);
    return type === DataType.FLOAT ? gate : this.#op.cast(gate, type);
  }
}
