/** Last products that are fitted anew, each kept in a file until the model is written: only one is in memory at a time. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { throwIfCancelled } from '../../../schema/errors.js';
import type { BlockName } from '../../../schema/blocks.js';
import type { Decoder } from '../../decoder/decoder.js';
import { NotSeparableError } from '../../decoder/edit/cut-stream.js';
import type { WeightEdit } from '../../export/scale-weight.js';
import type { LossBatch } from '../../loss/loss-batch.js';
import type { TensorProto } from '../../onnx/file/onnx_pb.js';
import { floatTensor, tensorDims, tensorFromBytes, tensorToFloat32 } from '../../onnx/graph/tensor.js';
import type { RunOptions } from '../../runtime/session.js';
import { activationMoments } from './activation-moments.js';
import { readNeurons } from './read-neurons.js';
import { choosePull, refitWeight } from './refit.js';
import type { CutDecoder, KeptNeurons } from './remove-neurons.js';

/** The pull of a ridge regression is chosen anew in one of so many MLPs: that takes several times the work of a fit. */
const PULL_EACH = 16;

export interface FitRequest {
  decoder: Decoder;
  kept: KeptNeurons;
  signal?: AbortSignal;
  /** MLPs that are fitted. */
  onProgress?: (done: number, total: number) => void;
}

export interface FitRows {
  batches: readonly LossBatch[];
  runOptions?: RunOptions;
}

export class FittedWeights {
  readonly edits = new Map<string, WeightEdit>();
  readonly #folder: string;

  /** @param folder in which the files may lie for a while */
  constructor(folder: string) {
    this.#folder = path.join(folder, '.fitted');
  }

  /**
   * Fits nothing where layers read more of each other than the residual stream, so that they cannot be run one by one.
   * @returns the MLPs whose last product is fitted
   * @throws CancelledError if stopped
   */
  async fit(request: FitRequest, cut: CutDecoder, rows: FitRows): Promise<BlockName[]> {
    try {
      return await this.#fitEach(request, cut, rows);
    } catch (error) {
      if (error instanceof NotSeparableError) return [];
      throw error;
    }
  }

  async #fitEach(
    { decoder, kept, signal, onProgress }: FitRequest,
    { lastWeights }: CutDecoder,
    { batches, runOptions }: FitRows,
  ): Promise<BlockName[]> {
    mkdirSync(this.#folder, { recursive: true });
    const lasts = new Map(readNeurons(decoder).neurons.map(({ block, last }) => [block, last]));
    const fitted: BlockName[] = [];
    let pull = 0;
    for await (const moments of activationMoments(decoder, batches, runOptions)) {
      throwIfCancelled(signal);
      const { block } = moments;
      const target = lastWeights.get(block);
      if (!target) continue;
      const { use, outputsFirst } = lasts.get(block)!.weight!;
      const tensor = decoder.graph.constant(use.node.input[use.index]!)!;
      const stored = tensorToFloat32(tensor, decoder.model.folder);
      const weight = outputsFirst ? stored : transposed(stored, moments.width);
      const task = { moments, weight, kept: kept.get(block)! };
      if (fitted.length % PULL_EACH === 0) pull = choosePull(task);
      const values = refitWeight(task, pull);
      const outputs = values.length / task.kept.length;
      this.#keep(target.name, tensor, target.outputsFirst ? values : transposed(values, outputs));
      fitted.push(block);
      onProgress?.(fitted.length, lastWeights.size);
      // Others have their turn between two layers.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return fitted;
  }

  /** When the model is written. */
  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #keep(name: string, { dataType }: TensorProto, values: Float32Array): void {
    const file = path.join(this.#folder, `${this.edits.size}`);
    writeFileSync(file, floatTensor(name, [values.length], values, dataType).rawData);
    this.edits.set(name, (tensor) => tensorFromBytes(name, dataType, tensorDims(tensor), readFileSync(file)));
  }
}

/** @param values [rows, columns] @param rows @returns [columns, rows] */
function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1)
      turned[column * rows + row] = values[row * columns + column]!;
  return turned;
}
