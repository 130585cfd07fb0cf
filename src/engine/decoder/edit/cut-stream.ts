/** Cuts a decoder at its residual stream into segments of one or more layers, each a model of its own. */
import { UserError } from '../../../schema/errors.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { describeNode, valuesRead } from '../../onnx/graph/node.js';
import type { OnnxModel } from '../../onnx/file/model-file.js';
import type { NodeProto, ValueInfoProto } from '../../onnx/file/onnx_pb.js';
import { partOfModel } from '../../onnx/graph/part-of-model.js';
import { reach } from '../../onnx/graph/walk.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { DataFlow, readsShapeOnly } from '../read/data-flow.js';
import type { Decoder } from '../decoder.js';
import { elementType } from '../element-type.js';
import { findTokenEmbedding } from '../read/find-embedding.js';

export interface Segment {
  /** Takes those of the whole model's inputs that it needs, `streamIn` and `shapesIn`. */
  model: OnnxModel;
  /** The stream going in, [rows, positions, hidden size] or by distinct tokens; undefined for the first segment, which has the embedding. */
  streamIn: string | undefined;
  /** The stream going out; undefined for the last segment, which has the final norm and the head. */
  streamOut: string | undefined;
  /** int64 shapes of values of earlier segments, which some exporters read (the number of keys, for instance). */
  shapesIn: readonly string[];
  /** Shapes that later segments read. */
  shapesOut: readonly string[];
  /** Outputs of the whole model that are made here. */
  outputs: readonly string[];
}

/** A layer reads more of an earlier one than the stream. */
export class NotSeparableError extends UserError {}

/**
 * What all layers share (masks, rotary tables, positions) is computed in each segment anew, out of the model's inputs.
 * @param decoder its graph may have been changed since it was read, as long as the stream's values are the same
 * @param firstLayers the first layer of each segment but the first one, by the layers' original numbers, ascending;
 *   segments whose layers were all deleted are left out
 * @param options.headApart whether final norm and head are a segment of their own
 * @throws NotSeparableError if a layer reads more of an earlier segment than the stream
 */
export function cutStream(
  decoder: Decoder,
  firstLayers: readonly number[],
  { headApart = false }: { headApart?: boolean } = {},
): Segment[] {
  const graph = new Graph(decoder.model.graph);
  const values = [...cutValues(decoder, firstLayers), ...(headApart ? [decoder.finalNorm.input] : [])];
  return new StreamCutter(decoder, graph, [...new Set(values)]).cut();
}

/**
 * One layer a segment, and embedding and head apart from the layers, so that all layers that are made alike are segments
 * of the same form. As `cutStream`.
 */
export function cutAtLayers(decoder: Decoder): Segment[] {
  const graph = new Graph(decoder.model.graph);
  const firsts = decoder.steps.filter((step, at) => step.layer !== decoder.steps[at - 1]?.layer);
  const values = [...firsts.map((step) => step.input), decoder.finalNorm.input];
  return new StreamCutter(decoder, graph, [...new Set(values)]).cut();
}

/** The values of the stream at which the segments meet. */
function cutValues(decoder: Decoder, firstLayers: readonly number[]): string[] {
  const places = firstLayers.map((layer) => decoder.steps.findIndex((step) => step.layer >= layer));
  const wanted = new Set(places.filter((place) => place > 0));
  return [...wanted].toSorted((a, b) => a - b).map((place) => decoder.steps[place]!.input);
}

class StreamCutter {
  readonly #flow: DataFlow;
  /** Nodes whose results depend on the content of the stream going into a segment, and all that follow. */
  readonly #after: Set<NodeProto>[];
  readonly #shapesIn: Set<string>[];
  readonly #shapesOut: Set<string>[];

  constructor(
    readonly decoder: Decoder,
    readonly graph: Graph,
    readonly cuts: readonly string[],
  ) {
    this.#flow = new DataFlow(graph);
    const beginnings = [findTokenEmbedding(this.#flow).output, ...cuts];
    this.#after = beginnings.map((value) => this.#flow.dependents([value]));
    this.#shapesIn = beginnings.map(() => new Set());
    this.#shapesOut = beginnings.map(() => new Set());
  }

  cut(): Segment[] {
    const outputs = this.#outputsBySegment();
    // From the last to the first: a segment must be known to lack a shape before an earlier one is made to give it.
    const segments = this.#after.map((_, index) => index).toReversed();
    return segments.map((index) => this.#segment(index, outputs[index]!)).toReversed();
  }

  #segment(index: number, outputs: readonly ValueInfoProto[]): Segment {
    const streamIn = this.cuts[index - 1];
    const streamOut = this.cuts[index];
    const shapesOut = [...this.#shapesOut[index]!];
    const borders = [
      ...(streamOut === undefined ? [] : [this.#streamInfo(streamOut)]),
      ...shapesOut.map((name) => this.#shapeInfo(name)),
      ...outputs,
    ];
    if (streamIn !== undefined) {
      const ends = borders.map(({ name }) => name);
      this.#findShapes(index, streamIn, ends);
    }
    const shapesIn = [...this.#shapesIn[index]!];
    const inputs = [
      ...(streamIn === undefined ? [] : [this.#streamInfo(streamIn)]),
      ...shapesIn.map((name) => this.#shapeInfo(name)),
    ];
    return {
      model: partOfModel(this.decoder.model, this.graph, { inputs, outputs: borders }),
      streamIn,
      streamOut,
      shapesIn,
      shapesOut,
      outputs: outputs.map(({ name }) => name),
    };
  }

  /** Notes which shapes of earlier segments' values the segment needs. */
  #findShapes(index: number, streamIn: string, ends: readonly string[]): void {
    reach(ends, (value) => {
      const node = value === streamIn ? undefined : this.graph.producer(value);
      if (!node) return [];
      const source = node.input[0]!;
      const before = readsShapeOnly(node) && source !== streamIn ? this.#earlier(source, index) : undefined;
      if (before === undefined) {
        if (this.#after[0]!.has(node) && !this.#after[index]!.has(node)) throw this.#notSeparable(node);
        return valuesRead(node);
      }
      this.#shapesIn[index]!.add(value);
      this.#shapesOut[before]!.add(value);
      return [];
    });
  }

  /** The earlier segment that makes a value out of the stream, or undefined. */
  #earlier(value: string, index: number): number | undefined {
    const node = this.graph.producer(value);
    const segment = node ? this.#after.findLastIndex((nodes) => nodes.has(node)) : -1;
    return segment >= 0 && segment < index ? segment : undefined;
  }

  #notSeparable(node: NodeProto): NotSeparableError {
    return new NotSeparableError(
      `The model cannot be run in segments: a later layer reads what the ${describeNode(node)} of an earlier one makes, beside the residual stream; run it without a limit of memory.`,
    );
  }

  #outputsBySegment(): ValueInfoProto[][] {
    const found: ValueInfoProto[][] = this.#after.map(() => []);
    for (const output of this.graph.outputs) {
      const node = this.graph.producer(output.name);
      const segment = node ? this.#after.findLastIndex((nodes) => nodes.has(node)) : -1;
      found[Math.max(0, segment)]!.push(output);
    }
    return found;
  }

  #streamInfo(value: string): ValueInfoProto {
    const dims = ['stream_rows', 'stream_positions', this.decoder.hiddenSize];
    return makeValueInfo(value, elementType(this.graph, value), dims);
  }

  #shapeInfo(name: string): ValueInfoProto {
    const isCount = this.graph.producer(name)!.opType === 'Size';
    return makeValueInfo(name, DataType.INT64, isCount ? [] : [undefined]);
  }
}
