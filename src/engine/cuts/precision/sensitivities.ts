/** What the products of a decoder multiply on a task's rows: how their inputs go together, and how large they become. */
import { throwIfCancelled } from '../../../schema/errors.js';
import type { Decoder } from '../../decoder/decoder.js';
import { allPositions } from '../../decoder/edit/all-positions.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import { apartAtBorder } from '../../data/batches.js';
import { makeLossBatch, type LossBatch, type LossRow } from '../../loss/loss-batch.js';
import { create } from '@bufbuild/protobuf';
import { copyModel } from '../../onnx/file/model-file.js';
import { ValueInfoProtoSchema } from '../../onnx/file/onnx_pb.js';
import { DataType } from '../../onnx/graph/data-types.js';
import { Operators } from '../../onnx/graph/operators.js';
import { makeValueInfo } from '../../onnx/graph/value-info.js';
import { openSession, type Feeds, type RunOptions } from '../../runtime/session.js';
import { float32Tensor, float32Values } from '../../runtime/tensors.js';
import { blockOf } from './precision.js';
import { weightsOf } from './weights.js';

/** How the inputs of a product go together: the mean of x x' over the tokens, in groups of neighbouring inputs. */
export interface Sensitivity {
  columns: number;
  /** Inputs a group; of inputs in different groups nothing is known. */
  group: number;
  /** [columns / group, group, group] */
  moments: Float32Array;
}

export interface Sensitivities {
  /** By the name of the weight that the inputs are multiplied with; products of the same inputs share one. */
  byWeight: ReadonlyMap<string, Sensitivity>;
  /** The largest size of a number that was seen among products' inputs and in the residual stream. */
  largest: number;
}

export interface SensitivityOptions {
  runOptions?: RunOptions;
  signal?: AbortSignal;
  /** Runs of the model. */
  onProgress?: (done: number, total: number) => void;
}

/** More inputs than that are taken in groups: a group's moments take its square, and the work its cube. */
const LARGEST_GROUP = 1024;

/** About how many tokens are run together. */
const TOKENS_AT_ONCE = 1024;

const TOKENS = 'hopscotch.tokens';

interface Measured {
  weights: string[];
  columns: number;
  group: number;
  /** Output of the sums, [columns / group, group, group]. */
  sums: string;
}

/**
 * @param batches rows of the task, of which all tokens count
 * @throws UserError if onnxruntime cannot run the model, CancelledError if stopped
 */
export async function gatherSensitivities(
  decoder: Decoder,
  batches: readonly LossBatch[],
  { runOptions, signal, onProgress }: SensitivityOptions = {},
): Promise<Sensitivities> {
  const { model, measured, extremes } = measuringModel(decoder);
  const session = await openSession(model, runOptions);
  const totals = measured.map(({ columns, group }) => new Float32Array(columns * group));
  let tokens = 0;
  let largest = 0;
  try {
    const runs = batchesOfSize(decoder, batches);
    for (const [index, batch] of runs.entries()) {
      throwIfCancelled(signal);
      const results = await session.run(feedsOf(batch, session.inputs));
      for (const [place, { sums }] of measured.entries())
        addTo(totals[place]!, float32Values(results[sums]!));
      for (const name of extremes) largest = Math.max(largest, float32Values(results[name]!)[0]!);
      tokens += batch.mask.reduce((sum, value) => sum + value, 0);
      onProgress?.(index + 1, runs.length);
    }
  } finally {
    await session.release();
  }
  const byWeight = new Map<string, Sensitivity>();
  for (const [place, { weights, columns, group }] of measured.entries()) {
    const moments = totals[place]!;
    for (let i = 0; i < moments.length; i += 1) moments[i]! /= Math.max(1, tokens);
    for (const weight of weights) byWeight.set(weight, { columns, group, moments });
  }
  return { byWeight, largest };
}

/** The rows anew, short ones together: what a run costs beside its tokens is the same for few and for many. */
function batchesOfSize(decoder: Decoder, batches: readonly LossBatch[]): LossBatch[] {
  const rows = batches.flatMap(({ source }) => source).toSorted((a, b) => a.ids.length - b.ids.length);
  const groups: LossRow[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last && (last.length + 1) * row.ids.length <= TOKENS_AT_ONCE) last.push(row);
    else groups.push([row]);
  }
  return groups
    .flatMap((group) => apartAtBorder(group, decoder.rotaryBorder))
    .map((group) => makeLossBatch(decoder, group, 0));
}

function addTo(total: Float32Array, values: Float32Array): void {
  for (let i = 0; i < total.length; i += 1) total[i]! += values[i]!;
}

function feedsOf(batch: LossBatch, inputs: readonly { name: string }[]): Feeds {
  const known = new Set(inputs.map(({ name }) => name));
  const feeds = Object.fromEntries(Object.entries(batch.feeds).filter(([name]) => known.has(name)));
  return { ...feeds, [TOKENS]: float32Tensor(Float32Array.from(batch.mask), [batch.mask.length, 1]) };
}

/** A copy whose outputs are the sums of x x' of each product's inputs, padding left out, and the largest numbers. */
function measuringModel(decoder: Decoder) {
  const whole = allPositions(decoder);
  const model = copyModel(whole.model);
  const copy = rereadDecoder(model, whole);
  const { graph } = copy;
  const op = new Operators(graph, 'hopscotch.measured');
  graph.addInput(makeValueInfo(TOKENS, DataType.FLOAT, ['tokens', 1]));
  const byInput = new Map<string, Measured>();
  const counted = new Map<string, string>();
  const extremes: string[] = [];
  /** [tokens, columns] in float32, with 0 for padding. */
  const rowsOf = (value: string, columns: number): string => {
    const known = counted.get(value);
    if (known) return known;
    const rows = op.mul(op.reshape(op.cast(value, DataType.FLOAT), [-1, columns]), TOKENS);
    extremes.push(op.emit('ReduceMax', [op.emit('Abs', [rows])], { keepdims: 0 }));
    counted.set(value, rows);
    return rows;
  };
  for (const { x, weight } of weightsOf(copy).products) {
    const known = byInput.get(x);
    if (known) {
      known.weights.push(weight.name);
      continue;
    }
    const { columns } = weight;
    const group = groupOf(columns);
    const rows = rowsOf(x, columns);
    const parts = op.transpose(op.reshape(rows, [-1, columns / group, group]), [1, 0, 2]);
    const sums = op.matMul(op.transpose(parts, [0, 2, 1]), parts);
    byInput.set(x, { weights: [weight.name], columns, group, sums });
  }
  for (const { output, blocks } of copy.steps)
    for (const value of [output, ...blocks.map((block) => block.output)]) rowsOf(value, copy.hiddenSize);
  const measured = [...byInput.values()];
  graph.proto.output = [...measured.map(({ sums }) => sums), ...extremes].map((name) =>
    create(ValueInfoProtoSchema, { name }),
  );
  graph.removeUnused();
  graph.sortNodes();
  return { model, measured, extremes };
}

/** The largest divisor within the bound that is made of whole blocks; all inputs where there is none. */
function groupOf(columns: number): number {
  const block = blockOf(columns);
  for (let parts = Math.ceil(columns / LARGEST_GROUP); parts * block <= columns; parts += 1)
    if (columns % parts === 0 && (columns / parts) % block === 0) return columns / parts;
  return columns;
}
