/** Gates: graph inputs that scale each block, its norm, and the residual stream beside it (docs/method.md, Blocks and scales). */
import type { BlockName } from '../../../schema/blocks.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { copyModel } from '../../onnx/file/model-file.js';
import { Operators } from '../../onnx/graph/operators.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { blockName, type Block, type Decoder, type Norm, type ResidualStep, type Use } from '../decoder.js';
import { elementType } from '../element-type.js';
import { rereadDecoder } from '../read/read-decoder.js';
import { addToValue } from './stream-offsets.js';

export type GateKind = 'block' | 'residual' | 'offset' | 'gain';

/** A float32 graph input that scales (or, as an offset, is added to) the residual stream, a block or what a norm gives. */
export interface Gate {
  /** The graph input: 'hopscotch.block.attention.3'. */
  name: string;
  kind: GateKind;
  /**
   * The block that is scaled; for residual gates and offsets the first block of the step, for gains the first block
   * that the norm belongs to, or 'final'.
   */
  block: BlockName | 'final';
  /** Index in the decoder's steps; their number for the final norm. */
  step: number;
  /** [1 or 'rows', 1, 1 or hidden size]; [hidden size] for gains. */
  shape: readonly (number | string)[];
}

export interface GateForm {
  /** One number, or one for each channel of the hidden size. Default: 'scalar'; offsets always have channels. */
  granularity?: 'scalar' | 'channel';
  /** Whether each row of a batch has its own values (free first dimension 'rows'). Default: false. */
  perRow?: boolean;
}

export interface GateOptions extends GateForm {
  /** The form of a block's gate, or undefined for none. Default: the options' own form for every block. */
  block?: (block: Block, step: number) => GateForm | undefined;
  /** The form of a step's residual gate, always scalar, or undefined for none. Default: for every step. */
  residual?: (step: ResidualStep, index: number) => Pick<GateForm, 'perRow'> | undefined;
  /** Whether what each norm gives is scaled, one number a channel; norms without a gain are left out. Default: false. */
  gains?: boolean;
  /** The form of the offset that is added to a step's output, or undefined for none. Default: none. */
  offset?: (step: ResidualStep, index: number) => Pick<GateForm, 'perRow'> | undefined;
}

/**
 * A copy of the decoder in which each step computes b * block(g * norm(input)) + s * input + offset (for two blocks:
 * both scaled). With scales of one and offsets of zero it computes what the original does. The gates are not in `decoder.inputs`.
 */
export function insertGates(
  original: Decoder,
  options: GateOptions = {},
): { decoder: Decoder; gates: Gate[] } {
  const model = copyModel(original.model);
  const decoder = rereadDecoder(model, original);
  const builder = new GateBuilder(decoder);
  const blockForm = options.block ?? (() => options);
  const residualForm = options.residual ?? (() => options);
  if (options.gains) builder.gains();
  decoder.steps.forEach((step, index) => {
    const name = blockName(step.blocks[0]!);
    for (const block of step.blocks) {
      const form = blockForm(block, index);
      if (form) builder.scale(block.outputUse, 'block', blockName(block), index, form);
    }
    const residual = residualForm(step, index);
    if (residual) {
      builder.scale(step.inputUse, 'residual', name, index, { perRow: residual.perRow ?? false });
    }
    const offset = options.offset?.(step, index);
    if (offset) builder.offset(step.output, name, index, offset);
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
  scale(use: Use, kind: GateKind, block: BlockName, step: number, form: GateForm): void {
    const value = use.node.input[use.index]!;
    const gate = this.#add(kind, block, step, form);
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

  /** Adds a new gate to a value of the stream, for all that reads it. */
  offset(value: string, block: BlockName, step: number, form: GateForm): void {
    const gate = this.#add('offset', block, step, { ...form, granularity: 'channel' });
    addToValue(this.#op, value, this.#castLike(gate, value));
  }

  #add(kind: GateKind, block: BlockName, step: number, form: GateForm): string {
    const width = form.granularity === 'channel' ? this.decoder.hiddenSize : 1;
    return this.#addInput(kind, block, step, [form.perRow ? 'rows' : 1, 1, width]);
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
