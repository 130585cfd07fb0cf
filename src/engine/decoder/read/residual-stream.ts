/** The residual stream: the way from the embedding through all residual additions to the final norm. */
import { UserError } from '../../../schema/errors.js';
import { describeNode } from '../../onnx/graph/node.js';
import type { NodeProto } from '../../onnx/file/onnx_pb.js';
import { findAttention, type Attention } from './attention.js';
import { isRenaming, type DataFlow } from './data-flow.js';
import type { Use } from '../decoder.js';
import { findNorm } from './norm.js';
import { EXPORT_ADVICE, roundedStream } from './unsupported.js';

/** A block as far as the stream shows it. */
export interface StreamBlock {
  output: string;
  outputUse: Use;
  /** Nodes that make the output out of the stream, shared ones included. */
  region: Set<NodeProto>;
  attention: Attention | undefined;
}

export interface StreamStep {
  input: string;
  inputUse: Use;
  output: string;
  /** In the order of the data; the last one makes `output`. */
  additions: NodeProto[];
  blocks: StreamBlock[];
}

export interface ResidualStream {
  /** Where the stream begins: the embedding's result. */
  beginning: string;
  steps: StreamStep[];
  /** What the final norm reads. */
  end: string;
  /** Every value of the stream that was met. */
  values: ReadonlySet<string>;
}

/**
 * Follows the stream from a value (the token embedding) to its end.
 * @throws UserError if no residual addition is found
 */
export function followStream(flow: DataFlow, embedding: string): ResidualStream {
  const follower = new StreamFollower(flow);
  const steps: StreamStep[] = [];
  let value = follower.findBeginning(embedding);
  for (let step = follower.nextStep(value); step !== undefined; step = follower.nextStep(value)) {
    steps.push(step);
    value = step.output;
  }
  const end = follower.skipOffsets(value);
  return { beginning: steps[0]!.input, steps, end, values: new Set([...follower.values, end]) };
}

interface Addition {
  streamUse: Use;
  blockUse: Use;
}

class StreamFollower {
  /** Values of the stream up to where it is known. */
  readonly values = new Set<string>();
  readonly #flow: DataFlow;

  constructor(flow: DataFlow) {
    this.#flow = flow;
  }

  /** The first value with a residual addition; an embedding's own norm (BLOOM) may stand before it. */
  findBeginning(embedding: string): string {
    this.values.add(embedding);
    if (this.#findAddition(embedding)) return embedding;
    const before = this.skipOffsets(embedding);
    const norm = findNorm(this.#flow, before, this.#flow.dependents([before]));
    if (norm) {
      this.values.add(norm.output);
      if (this.#findAddition(norm.output)) return norm.output;
    }
    this.#refuseRounded(embedding);
    const producer = this.#flow.graph.producer(embedding);
    throw new UserError(
      `After the embedding (${producer ? describeNode(producer) : `'${embedding}'`}) a residual stream was expected, an Add of the embedding and of an attention block's result, but there is none; ${EXPORT_ADVICE}.`,
    );
  }

  nextStep(from: string): StreamStep | undefined {
    this.values.add(from);
    const first = this.#findAddition(from);
    if (!first) {
      this.#refuseRounded(from);
      return undefined;
    }
    const input = this.#soleAlias(from);
    this.values.add(input);
    const step: StreamStep = { input, inputUse: first.streamUse, output: '', additions: [], blocks: [] };
    this.#addBlocks(step, first.blockUse);
    const second = this.#findChainedAddition(step);
    if (second) this.#addBlocks(step, second);
    step.output = step.additions.at(-1)!.output[0]!;
    return step;
  }

  /** The stream behind factors and summands that all its readers want; a Cast at the end belongs to the norm. */
  skipOffsets(from: string): string {
    let value = this.#soleAlias(from);
    for (let node = this.#flow.graph.producer(value); value !== from && node && isRenaming(node);) {
      value = node.input[0]!;
      node = this.#flow.graph.producer(value);
    }
    return value;
  }

  /** An Add of the stream and of another value that depends on the stream. */
  #findAddition(from: string): Addition | undefined {
    const aliases = this.#aliases(from);
    for (const alias of aliases) {
      for (const node of this.#flow.readers(alias)) {
        if (node.opType !== 'Add') continue;
        const index = node.input.indexOf(alias);
        const other = node.input[1 - index]!;
        if (aliases.has(other) || !this.#streamBehind(other).has(from)) continue;
        return { streamUse: { node, index }, blockUse: { node, index: 1 - index } };
      }
    }
    return undefined;
  }

  /** @throws UserError if what is added to is the stream rounded to integers, as a quantiser of all operators makes it */
  #refuseRounded(from: string): void {
    for (const alias of this.#aliases(from)) {
      for (const quantise of this.#flow.readers(alias).filter(({ opType }) => opType === 'QuantizeLinear')) {
        const rounded = this.#flow.readers(quantise.output[0]!).map((node) => node.output[0]!);
        const isAdded = rounded.some((value) =>
          this.#flow.readers(value).some(({ opType }) => opType === 'Add'),
        );
        if (isAdded) throw roundedStream(quantise);
      }
    }
  }

  /**
   * The second Add of (x + attention) + mlp where the mlp reads x: its other operand depends on the stream before the
   * step, but not on the first Add.
   */
  #findChainedAddition(step: StreamStep): Use | undefined {
    const sum = step.additions.at(-1)!.output[0]!;
    this.values.add(sum);
    for (const alias of this.#aliases(sum)) {
      for (const node of this.#flow.readers(alias)) {
        if (node.opType !== 'Add') continue;
        const index = 1 - node.input.indexOf(alias);
        const behind = this.#streamBehind(node.input[index]!);
        if (behind.has(step.input) && !behind.has(sum)) return { node, index };
      }
    }
    return undefined;
  }

  /** One block, or the two of a parallel residual whose results are added to each other before. */
  #addBlocks(step: StreamStep, outputUse: Use): void {
    const output = outputUse.node.input[outputUse.index]!;
    const inner = this.#flow.graph.producer(this.#behindFactors(output));
    if (inner?.opType === 'Add') {
      const halves = [0, 1].map((index) => this.#makeBlock(step.input, { node: inner, index }));
      const bothDepend = halves.every((half) => half.region.size > 0);
      if (bothDepend && (halves[0]!.attention === undefined) !== (halves[1]!.attention === undefined)) {
        step.blocks.push(...halves);
        step.additions.push(inner, outputUse.node);
        return;
      }
    }
    step.blocks.push(this.#makeBlock(step.input, outputUse));
    step.additions.push(outputUse.node);
  }

  #makeBlock(input: string, outputUse: Use): StreamBlock {
    const output = outputUse.node.input[outputUse.index]!;
    const region = this.#flow.between([input], [output]);
    return { output, outputUse, region, attention: findAttention(this.#flow, region) };
  }

  /**
   * Values that are the stream but for a Cast, or for a factor or summand that does not depend on it (scales, offsets,
   * position embeddings).
   */
  #aliases(from: string): Set<string> {
    const found = new Set([from]);
    for (const value of found) {
      for (const node of this.#flow.readers(value)) {
        if (this.#continuesStream(node, value)) found.add(node.output[0]!);
      }
    }
    return found;
  }

  /** Goes on as long as everything that reads the stream reads it behind the next Cast, factor or summand. */
  #soleAlias(from: string): string {
    let value = from;
    for (;;) {
      const [node, ...more] = this.#flow.readers(value);
      if (!node || more.length > 0 || !this.#continuesStream(node, value)) return value;
      value = node.output[0]!;
    }
  }

  #continuesStream(node: NodeProto, value: string): boolean {
    const index = node.input.indexOf(value);
    if (isRenaming(node)) return index === 0;
    const commutes = node.opType === 'Add' || node.opType === 'Mul';
    if (index < 0 || !(commutes || (index === 0 && (node.opType === 'Sub' || node.opType === 'Div'))))
      return false;
    const other = node.input[1 - index]!;
    return other !== value && this.#streamBehind(other).size === 0;
  }

  /** The last values of the stream that a value's content is computed from. */
  #streamBehind(value: string): Set<string> {
    return this.#flow.sources([value], this.values).reached;
  }

  /** The value behind Casts and constant factors, where two blocks may have been added to each other. */
  #behindFactors(output: string): string {
    let value = output;
    for (;;) {
      const node = this.#flow.graph.producer(value);
      const isFactor = node?.opType === 'Mul' && node.input.some((name) => this.#flow.isConstant(name));
      if (!node || !(isRenaming(node) || isFactor)) return value;
      value = node.input.find((name) => !this.#flow.isConstant(name)) ?? '';
    }
  }
}
