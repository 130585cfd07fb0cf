/** A model in another precision: weights in 8 or 4 bits, activations in float32 or float16, as a folder of its own. */
import path from 'node:path';
import type { Precision } from '../../../schema/cuts.js';
import { UserError } from '../../../schema/errors.js';
import { blocksOf, type Decoder } from '../../decoder/decoder.js';
import { joinNorms } from '../../decoder/edit/join-norms.js';
import { pastNames, presentNames } from '../../decoder/read/kv-cache.js';
import { rereadDecoder } from '../../decoder/read/read-decoder.js';
import { writeCompanions } from '../../export/companions.js';
import { writeCompleteFolder } from '../../export/complete-folder.js';
import { attentionLayers, bytesOfModel, hasFloat16Cache } from '../../export/whole-model.js';
import { modelFileOf } from '../../export/snippets.js';
import { PlannedDataFile } from '../../import/weights/planned.js';
import { copyModel, externalFiles, setMetadata, type OnnxModel } from '../../onnx/file/model-file.js';
import type { ModelFolder } from '../../onnx/file/model-folder.js';
import { OperatorSetIdProtoSchema } from '../../onnx/file/onnx_pb.js';
import { create } from '@bufbuild/protobuf';
import { DataType } from '../../onnx/graph/data-types.js';
import { Graph } from '../../onnx/graph/graph.js';
import { changeDeclaredType } from '../../onnx/graph/value-info.js';
import { isNarrow, widenFloats } from '../../onnx/graph/widen-floats.js';
import type { RunOptions } from '../../runtime/session.js';
import { Multiplier } from './multiplier.js';
import { LARGEST_FLOAT16, narrowBytes, narrowGraph } from './narrow-graph.js';
import { packWeights, type PackedGraph } from './packed-graph.js';
import { PRECISION_FACTS, changesActivations } from './precision.js';
import { precisionProblem } from './precision-problem.js';
import type { Sensitivities } from './sensitivities.js';
import { planConstant, planOthers, writeSettled } from './settle-weights.js';

export interface PrecisionRequest {
  source: ModelFolder;
  decoder: Decoder;
  /** The folder to make; must not exist, or be empty. */
  output: string;
  precision: Precision;
  /** What the products multiply on the task (gatherSensitivities). Default: each weight is rounded by itself. */
  sensitivities?: Sensitivities;
  /** Of these the number of threads counts. */
  runOptions?: RunOptions;
  signal?: AbortSignal;
  /** Bytes of the new weights that are made. */
  onProgress?: (done: number, total: number) => void;
}

export interface ChangedPrecision {
  /** Absolute path of the folder. */
  folder: string;
  /** The ONNX file in it, with forward slashes. */
  modelFile: string;
  /** Bytes of the ONNX file and those with its weights, before and after. */
  bytesBefore: number;
  bytesAfter: number;
  /** Weights that are in codes now. */
  packedWeights: number;
  /** Whether the embedding and the head share their codes. */
  tied: boolean;
}

/**
 * Writes the model in another precision: complete, with its companion files, or not at all.
 * @throws UserError if the model cannot be brought to the precision (precisionProblem), its numbers on the task are too
 *   large for it, or the folder cannot be written; CancelledError if stopped
 */
export async function changePrecision(request: PrecisionRequest): Promise<ChangedPrecision> {
  const { source, decoder, precision, sensitivities } = request;
  const problem = precisionProblem(decoder, precision) ?? overflowProblem(precision, sensitivities);
  if (problem !== undefined) throw new UserError(problem);
  const multiplier = await Multiplier.open(request.runOptions);
  try {
    return await writeCompleteFolder(request.output, source.folder, (folder) =>
      writeChanged(request, folder, multiplier),
    );
  } finally {
    await multiplier.release();
  }
}

async function writeChanged(
  request: PrecisionRequest,
  folder: string,
  multiplier: Multiplier,
): Promise<ChangedPrecision> {
  const { source, decoder, precision, signal, onProgress } = request;
  const modelFile = modelFileOf(source.modelFile, precision);
  const dataFile = new PlannedDataFile(`${path.posix.basename(modelFile)}_data`);
  const { model, packed } = changedModel(request, dataFile, multiplier);
  const file = path.join(folder, modelFile);
  const ownData = externalFiles(decoder.model).filter((name) => name !== path.basename(source.modelPath));
  const dataFiles = await writeSettled(model, file, dataFile, ownData.length > 0, { signal, onProgress });
  await writeCompanions(source.folder, folder, {
    cache: { originalLayers: decoder.layerCount, keptLayers: attentionLayers(decoder) },
    files: {
      modelFile,
      dataFiles,
      hasFloat16Cache: hasFloat16Cache({ graph: new Graph(model.graph), inputs: decoder.inputs }),
    },
  });
  return {
    folder: path.resolve(request.output),
    modelFile,
    bytesBefore: bytesOfModel(source.modelPath, ownData),
    bytesAfter: bytesOfModel(file, dataFiles > 0 ? [dataFile.location] : []),
    packedWeights: packed.packed.length,
    tied: packed.tied,
  };
}

/** Twice as much may come in other texts of the task. */
const LARGEST_SEEN = LARGEST_FLOAT16 / 2;

function overflowProblem(precision: Precision, sensitivities: Sensitivities | undefined): string | undefined {
  const isFloat16 = PRECISION_FACTS[precision].activations === DataType.FLOAT16;
  if (!isFloat16 || !sensitivities || sensitivities.largest <= LARGEST_SEEN) return undefined;
  return `On the task's rows the model computes with numbers up to ${Math.round(sensitivities.largest)}, and float16 ends at ${LARGEST_FLOAT16}; take the precision q4 or int8 in place of ${precision}.`;
}

function changedModel(
  { decoder, precision, sensitivities }: PrecisionRequest,
  dataFile: PlannedDataFile,
  multiplier: Multiplier,
): { model: OnnxModel; packed: PackedGraph } {
  const { bits, activations } = PRECISION_FACTS[precision];
  const model = copyModel(decoder.model);
  const { folder } = model;
  const copy = rereadDecoder(model, decoder);
  const { graph } = copy;
  const packed: PackedGraph = bits
    ? packWeights(copy, { bits, activations }, dataFile, { sensitivities, multiplier })
    : { packed: [], tied: false };
  if (changesActivations(decoder, precision)) {
    if (activations === DataType.FLOAT) widen(graph);
    else {
      const ready = new Set(dataFile.weights.flatMap(({ weight }) => weight.tensors.map(({ name }) => name)));
      narrowGraph(graph, {
        folder,
        borders: new Set(bordersOf(decoder)),
        ready,
        replace: (target, tensor) =>
          planConstant(target, dataFile, tensor, DataType.FLOAT16, () => narrowBytes(tensor, folder)),
      });
    }
  }
  joinNorms(graph, decoder.fusedNorms);
  planOthers(new Graph(model.graph), dataFile, folder);
  if (bits) importContributed(model);
  setMetadata(model, 'hopscotch.precision', precision);
  return { model, packed };
}

/** Caches and logits. */
function* bordersOf(decoder: Decoder): Generator<string> {
  yield decoder.logits;
  for (const { cache } of blocksOf(decoder)) if (cache) yield* [...pastNames(cache), ...presentNames(cache)];
}

function widen(graph: Graph): void {
  for (const input of graph.inputs) changeDeclaredType(input, isNarrow, DataType.FLOAT);
  widenFloats(graph);
}

function importContributed({ proto }: OnnxModel): void {
  const domain = 'com.microsoft';
  if (proto.opsetImport.some((opset) => opset.domain === domain)) return;
  proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: 1n }));
}
